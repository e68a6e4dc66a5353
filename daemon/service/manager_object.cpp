// SPDX-License-Identifier: Apache-2.0
#include "service/manager_object.hpp"

#include "service/actions.hpp"
#include "service/bus.hpp"
#include "service/options.hpp"
#include "service/policy_overrides.hpp"
#include "service/status_dict.hpp"
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

void ManagerObject::submit(JobKind kind, JobResult&& result, const Options& options) {
    using Answer = Reply<sdbus::ObjectPath>;
    const auto reply = std::make_shared<Answer>(std::move(result), pump_);
    // Read first: the options decide what is to be asked for, and only what is short is kept until
    // there is an answer.
    guard(*reply, [&] {
        JobRequest request = read_request(kind, options, facts_.finalize_by_default);
        CallerCheck::Ask ask{action_ids(actions_of(request, facts_.finalize_by_default)),
                             details_of(request),
                             for_root_only(request)};
        callers_.guard_call(
            bus::caller_of(getObject()),
            reply,
            std::move(ask),
            [this, reply, request = std::move(request)](Answer&, const Initiator& caller) {
                // Root speaks for a user: what holds that one holds this.
                const Initiator who{request.user.value_or(caller.uid), caller.name};
                calls_.submit(request, who, [reply](const auto& accepted) {
                    if (const auto* error = std::get_if<Error>(&accepted))
                        return reply->fail(*error);
                    reply->done(sdbus::ObjectPath{job_path(std::get<std::uint64_t>(accepted))});
                });
            });
    });
}

void ManagerObject::Check(JobResult&& result, Options options) {
    submit(JobKind::Check, std::move(result), options);
}

void ManagerObject::Update(JobResult&& result, Options options) {
    submit(JobKind::Update, std::move(result), options);
}

void ManagerObject::Stage(JobResult&& result, Options options) {
    submit(JobKind::Stage, std::move(result), options);
}

void ManagerObject::Switch(JobResult&& result, Options options) {
    submit(JobKind::Switch, std::move(result), options);
}

void ManagerObject::Finalize(JobResult&& result, Options options) {
    submit(JobKind::Finalize, std::move(result), options);
}

void ManagerObject::Rollback(JobResult&& result, Options options) {
    submit(JobKind::Rollback, std::move(result), options);
}

void ManagerObject::Collect(JobResult&& result, Options options) {
    submit(JobKind::Collect, std::move(result), options);
}

void ManagerObject::Pin(JobResult&& result, Options options) {
    submit(JobKind::Pin, std::move(result), options);
}

void ManagerObject::Remove(JobResult&& result, Options options) {
    submit(JobKind::Remove, std::move(result), options);
}

void ManagerObject::Verify(JobResult&& result, Options options) {
    submit(JobKind::Verify, std::move(result), options);
}

void ManagerObject::Repair(JobResult&& result, Options options) {
    submit(JobKind::Repair, std::move(result), options);
}

void ManagerObject::PreviewEtc(JobResult&& result, Options options) {
    submit(JobKind::PreviewEtc, std::move(result), options);
}

void ManagerObject::RestoreEtc(JobResult&& result, Options options) {
    submit(JobKind::RestoreEtc, std::move(result), options);
}

void ManagerObject::History(sdbus::Result<std::vector<Options>>&& result, Options options) {
    Reply<std::vector<Options>> reply(std::move(result), pump_);
    guard(reply, [&] {
        const std::uint64_t limit = read_history_limit(options);
        std::vector<Dict> entries;
        for (const update::HistoryEntry& entry : calls_.history()) {
            if (entries.size() >= limit) break;
            entries.push_back(to_dict(entry));
        }
        reply.done(to_bus(entries));
    });
}

void ManagerObject::Cancel(sdbus::Result<>&& result, Options options) {
    const auto reply = std::make_shared<Reply<>>(std::move(result), pump_);
    guard(*reply, [&] {
        refuse_options("Cancel", options);
        const JobView* const job = calls_.current();
        if (job == nullptr) {
            throw Error(ErrorCode::NotFound, "no job is running", "There is nothing to cancel.");
        }
        // The job that is meant is the one of now, not one that runs when somebody has answered.
        callers_.guard_call(bus::caller_of(getObject()),
                            reply,
                            {action_ids({Action::Cancel}), {}, {}, job->initiator.uid},
                            [this, id = job->id](Reply<>& answer, const Initiator&) {
                                calls_.cancel(id);
                                answer.done();
                            });
    });
}

void ManagerObject::Inhibit(sdbus::Result<sdbus::UnixFd>&& result, Options options) {
    using Answer = Reply<sdbus::UnixFd>;
    const auto reply = std::make_shared<Answer>(std::move(result), pump_);
    guard(*reply, [&] {
        callers_.guard_call(
            bus::caller_of(getObject()),
            reply,
            {action_ids({Action::Inhibit})},
            [this, wish = read_wish(options)](Answer& answer, const Initiator& caller) {
                UniqueFd fd = calls_.inhibit(wish, caller);
                answer.done(sdbus::UnixFd{fd.release(), sdbus::adopt_fd});
            });
    });
}

void ManagerObject::SetPolicy(sdbus::Result<>&& result, Options options) {
    const auto reply = std::make_shared<Reply<>>(std::move(result), pump_);
    guard(*reply, [&] {
        // Read first, as everywhere: what is wrong needs nobody's password.
        static_cast<void>(changed_by(options, {}));
        callers_.guard_call(bus::caller_of(getObject()),
                            reply,
                            {action_ids({Action::SetPolicy})},
                            [this, reply, options](Reply<>&, const Initiator&) {
                                calls_.set_policy(options, [reply](const auto& failed) {
                                    failed ? reply->fail(*failed) : reply->done();
                                });
                            });
    });
}

void ManagerObject::SoftReboot(sdbus::Result<>&& result, Options options) {
    const auto reply = std::make_shared<Reply<>>(std::move(result), pump_);
    guard(*reply, [&] {
        refuse_options("SoftReboot", options);
        callers_.guard_call(bus::caller_of(getObject()),
                            reply,
                            {action_ids({Action::SoftReboot})},
                            [this, reply](Reply<>&, const Initiator&) {
                                calls_.soft_reboot([reply](const auto& failed) {
                                    failed ? reply->fail(*failed) : reply->done();
                                });
                            });
    });
}

ManagerObject::Options ManagerObject::Policy() {
    return to_bus(view_.policy);
}

std::string ManagerObject::Version() {
    return facts_.version;
}

std::string ManagerObject::Image() {
    return view_.image;
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

std::vector<ManagerObject::Options> ManagerObject::Held() {
    return to_bus(view_.held);
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

std::string ManagerObject::SoftRebootProblem() {
    return bus_text(view_.soft_reboot_problem);
}

std::string ManagerObject::Verity() {
    return bus_text(view_.verity);
}

std::vector<std::string> ManagerObject::Warnings() {
    return to_bus(view_.warnings);
}

std::vector<sdbus::Struct<std::string, std::string>> ManagerObject::Blockers() {
    std::vector<sdbus::Struct<std::string, std::string>> out;
    for (const auto& [kind, text] : view_.blockers)
        out.emplace_back(kind, text);
    return out;
}

std::vector<sdbus::ObjectPath> ManagerObject::Jobs() {
    std::vector<sdbus::ObjectPath> paths;
    for (const std::string& path : view_.jobs)
        paths.emplace_back(path);
    return paths;
}

}  // namespace cfs::service
