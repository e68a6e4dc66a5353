// SPDX-License-Identifier: Apache-2.0
#include "service/job_object.hpp"

#include "service/actions.hpp"
#include "service/bus.hpp"
#include "service/variant.hpp"

#include <memory>
#include <utility>

namespace cfs::service {

JobObject::JobObject(sdbus::IConnection& connection,
                     BusPump& pump,
                     CallerCheck& callers,
                     const JobView& view,
                     Calls calls)
    : AdaptorInterfaces(connection, sdbus::ObjectPath{job_path(view.id)}),
      pump_(pump),
      callers_(callers),
      view_(view),
      calls_(std::move(calls)) {
    registerAdaptor();
    // The Manager's object manager tells who listens to it. Nothing is lost when it cannot: the
    // property Jobs has it.
    quietly([this] { getObject().emitInterfacesAddedSignal(); });
    pump_.kick();
}

JobObject::~JobObject() {
    quietly([this] { getObject().emitInterfacesRemovedSignal(); });
    unregisterAdaptor();
    pump_.kick();
}

void JobObject::show(const JobView& view) {
    const std::vector<std::string> names = changed_names(view_, view);
    view_ = view;
    if (names.empty()) return;
    bus::emit_changed(getObject(), bus::kJobInterface, names);
    pump_.kick();
}

/// Whoever started the job may without being asked.
void JobObject::ask(sdbus::Result<>&& result,
                    Action action,
                    std::function<void(std::uint64_t)> call) {
    const auto reply = std::make_shared<Reply<>>(std::move(result), pump_);
    // Not through `this`: the object may be gone when the bus daemon has answered.
    callers_.guard_call(
        bus::caller_of(getObject()),
        reply,
        {action_ids({action}), {}, {}, view_.initiator.uid},
        [call = std::move(call), id = view_.id](Reply<>& answer, const service::Initiator&) {
            call(id);
            answer.done();
        });
}

void JobObject::Cancel(sdbus::Result<>&& result) {
    ask(std::move(result), Action::Cancel, calls_.cancel);
}

void JobObject::Pause(sdbus::Result<>&& result) {
    ask(std::move(result), Action::Pause, calls_.pause);
}

void JobObject::Resume(sdbus::Result<>&& result) {
    ask(std::move(result), Action::Pause, calls_.resume);
}

std::uint64_t JobObject::Id() {
    return view_.id;
}

std::string JobObject::Kind() {
    return std::string(to_string(view_.kind));
}

std::string JobObject::State() {
    return std::string(to_string(view_.state));
}

std::string JobObject::Stage() {
    return view_.progress.stage;
}

std::uint64_t JobObject::BytesDone() {
    return view_.progress.done;
}

std::uint64_t JobObject::BytesTotal() {
    return view_.progress.total;
}

std::uint64_t JobObject::BytesReused() {
    return view_.progress.reused;
}

std::uint64_t JobObject::Rate() {
    return view_.rate;
}

std::uint64_t JobObject::Eta() {
    return view_.eta;
}

sdbus::Struct<std::uint32_t, std::string> JobObject::Initiator() {
    return {view_.initiator.uid, view_.initiator.name};
}

std::string JobObject::Message() {
    return view_.progress.message;
}

bool JobObject::Cancellable() {
    return view_.cancellable();
}

bool JobObject::Pausable() {
    return view_.pausable();
}

std::map<std::string, sdbus::Variant> JobObject::Error() {
    return to_bus(view_.error);
}

std::map<std::string, sdbus::Variant> JobObject::Result() {
    return to_bus(view_.result);
}

}  // namespace cfs::service
