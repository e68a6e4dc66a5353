// SPDX-License-Identifier: Apache-2.0
#include "service/job_object.hpp"

#include "service/reply.hpp"
#include "service/variant.hpp"

#include <memory>
#include <utility>

namespace cfs::service {

JobObject::JobObject(sdbus::IConnection& connection,
                     BusPump& pump,
                     CallerCheck& callers,
                     const JobView& view,
                     CancelHook cancel)
    : AdaptorInterfaces(connection, sdbus::ObjectPath{job_path(view.id)}),
      pump_(pump),
      callers_(callers),
      view_(view),
      cancel_(std::move(cancel)) {
    registerAdaptor();
}

JobObject::~JobObject() {
    unregisterAdaptor();
}

void JobObject::show(const JobView& view) {
    const std::vector<std::string> names = changed_names(view_, view);
    view_ = view;
    if (names.empty()) return;
    bus::emit_changed(getObject(), bus::kJobInterface, names);
    pump_.kick();
}

void JobObject::Cancel(sdbus::Result<>&& result) {
    const auto reply = std::make_shared<Reply<>>(std::move(result), pump_);
    // Not through `this`: the object may be gone when the bus daemon has answered.
    callers_.guard_call(
        bus::caller_of(getObject()),
        reply,
        {{Action::Cancel}, {}, false, view_.initiator.uid},
        [cancel = cancel_, id = view_.id](Reply<>& answer, const service::Initiator&) {
            cancel(id);
            answer.done();
        });
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

std::map<std::string, sdbus::Variant> JobObject::Error() {
    return to_bus(view_.error);
}

std::map<std::string, sdbus::Variant> JobObject::Result() {
    return to_bus(view_.result);
}

}  // namespace cfs::service
