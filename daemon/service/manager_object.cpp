// SPDX-License-Identifier: Apache-2.0
#include "service/manager_object.hpp"

#include "service/options.hpp"
#include "service/reply.hpp"
#include "service/text.hpp"
#include "service/variant.hpp"

#include <memory>
#include <utility>

namespace cfs::service {

ManagerObject::ManagerObject(
    sdbus::IConnection& connection, BusPump& pump, CallerCheck& callers, Facts facts, Calls calls)
    : AdaptorInterfaces(connection, sdbus::ObjectPath{bus::kManagerPath}),
      pump_(pump),
      callers_(callers),
      facts_(std::move(facts)),
      calls_(std::move(calls)) {
    registerAdaptor();
}

ManagerObject::~ManagerObject() {
    unregisterAdaptor();
}

void ManagerObject::show(ManagerView view) {
    const std::vector<std::string> names = changed_names(view_, view);
    view_ = std::move(view);
    if (names.empty()) return;
    bus::emit_changed(getObject(), bus::kManagerInterface, names);
    pump_.kick();
}

void ManagerObject::announce(const JobView& job) {
    emitJobNew(job.id, sdbus::ObjectPath{job_path(job.id)}, std::string(to_string(job.kind)));
    pump_.kick();
}

void ManagerObject::announce_end(const JobView& job) {
    Dict result = job.state == JobState::Done ? job.result : job.error;
    // A broadcast is no place for ten thousand lines; the object has them.
    for (const char* list : {"items", "changes", "conflicts"})
        result.erase(list);
    emitJobRemoved(job.id,
                   sdbus::ObjectPath{job_path(job.id)},
                   std::string(to_string(job.kind)),
                   std::string(to_string(job.state)),
                   to_bus(result));
    pump_.kick();
}

void ManagerObject::submit(JobKind kind, JobResult&& result, Options options) {
    const auto reply = std::make_shared<Reply<sdbus::ObjectPath>>(std::move(result), pump_);
    callers_.guard_call(
        bus::sender_of(getObject()),
        reply,
        [this, kind, options = std::move(options)](Reply<sdbus::ObjectPath>& answer) {
            const JobRequest request = read_request(kind, options, facts_.finalize_by_default);
            answer.done(sdbus::ObjectPath{job_path(calls_.submit(request))});
        });
}

void ManagerObject::Check(JobResult&& result, Options options) {
    submit(JobKind::Check, std::move(result), std::move(options));
}

void ManagerObject::Update(JobResult&& result, Options options) {
    submit(JobKind::Update, std::move(result), std::move(options));
}

void ManagerObject::Finalize(JobResult&& result, Options options) {
    submit(JobKind::Finalize, std::move(result), std::move(options));
}

void ManagerObject::Rollback(JobResult&& result, Options options) {
    submit(JobKind::Rollback, std::move(result), std::move(options));
}

void ManagerObject::Collect(JobResult&& result, Options options) {
    submit(JobKind::Collect, std::move(result), std::move(options));
}

void ManagerObject::Verify(JobResult&& result, Options options) {
    submit(JobKind::Verify, std::move(result), std::move(options));
}

void ManagerObject::Repair(JobResult&& result, Options options) {
    submit(JobKind::Repair, std::move(result), std::move(options));
}

void ManagerObject::PreviewEtc(JobResult&& result, Options options) {
    submit(JobKind::PreviewEtc, std::move(result), std::move(options));
}

void ManagerObject::RestoreEtc(JobResult&& result, Options options) {
    submit(JobKind::RestoreEtc, std::move(result), std::move(options));
}

void ManagerObject::Cancel(sdbus::Result<>&& result, Options options) {
    const auto reply = std::make_shared<Reply<>>(std::move(result), pump_);
    callers_.guard_call(
        bus::sender_of(getObject()), reply, [this, options = std::move(options)](Reply<>& answer) {
            refuse_options("Cancel", options);
            calls_.cancel();
            answer.done();
        });
}

std::string ManagerObject::Version() {
    return facts_.version;
}

std::string ManagerObject::Image() {
    return bus_text(facts_.image);
}

std::string ManagerObject::State() {
    return view_.state;
}

ManagerObject::Options ManagerObject::Booted() {
    return to_bus(view_.booted);
}

ManagerObject::Options ManagerObject::Staged() {
    return to_bus(view_.staged);
}

ManagerObject::Options ManagerObject::Rollback() {
    return to_bus(view_.rollback);
}

std::vector<ManagerObject::Options> ManagerObject::Deployments() {
    return to_bus(view_.deployments);
}

ManagerObject::Options ManagerObject::Fallback() {
    return to_bus(view_.fallback);
}

ManagerObject::Options ManagerObject::Available() {
    return to_bus(view_.available);
}

ManagerObject::Options ManagerObject::LastError() {
    return to_bus(view_.last_error);
}

bool ManagerObject::RebootPending() {
    return view_.reboot_pending;
}

std::string ManagerObject::Verity() {
    return bus_text(view_.verity);
}

std::vector<std::string> ManagerObject::Warnings() {
    return to_bus(view_.warnings);
}

std::vector<sdbus::ObjectPath> ManagerObject::Jobs() {
    std::vector<sdbus::ObjectPath> paths;
    for (const std::string& path : view_.jobs)
        paths.emplace_back(path);
    return paths;
}

}  // namespace cfs::service
