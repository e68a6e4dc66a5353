// SPDX-License-Identifier: Apache-2.0
#include "client/bus/job.hpp"

#include "client/bus/decode.hpp"

#include <chrono>
#include <map>
#include <set>

namespace cfs::client {
namespace {

constexpr const char* kProperties = "org.freedesktop.DBus.Properties";
/// Signals tell everything; reading again now and then guards against a lost one.
constexpr std::chrono::seconds kRefresh{5};

/// Feeds a view with the changes of a job.
class Feed {
 public:
    explicit Feed(ProgressView& view) : view_(view) {}

    void show(const JobState& job) {
        if (!job.stage.empty()) view_.stage(job.stage);
        if (job.bytes_total > 0 && job.stage == "fetch") {
            view_.bytes(job.bytes_done, job.bytes_total, job.bytes_reused);
        }
        if (!job.message.empty() && job.message != message_) view_.message(job.message);
        message_ = job.message;
    }

 private:
    ProgressView& view_;
    std::string message_;
};

/// A request that joined a running job must not stop it for whoever started it.
void interrupted(JobProxy& job, bool ours, ProgressView& view) {
    if (!ours) {
        throw Error(ErrorCode::Cancelled,
                    "left; the job runs on, because it was not started here",
                    "'cfsctl cancel' stops it, 'cfsctl monitor' shows it");
    }
    view.message("cancelling; press Ctrl-C again to leave at once");
    job.cancel();
}

/// It may stay so until after the next start of the machine.
void leave_paused(const JobProxy& job) {
    if (job.state().state != "paused") return;
    throw Error(ErrorCode::Inhibited,
                "the " + job.state().kind + " is paused",
                "'cfsctl resume' goes on with it, 'cfsctl cancel' gives it up");
}

template <typename IsOurs>
void wait_for_end(BusSession& session, JobProxy& job, IsOurs is_ours, ProgressView& view) {
    Feed feed(view);
    auto last_read = std::chrono::steady_clock::now();
    for (feed.show(job.state()); !job.state().ended(); feed.show(job.state())) {
        session.wait(kRefresh);
        if (session.take_interrupt()) interrupted(job, is_ours(), view);
        leave_paused(job);
        if (session.daemon_gone()) {
            throw Error(ErrorCode::Io,
                        "the update daemon went away while its job ran",
                        "see 'journalctl -u cfsupdated'; it puts things in order when it starts");
        }
        const auto now = std::chrono::steady_clock::now();
        if (now - last_read < kRefresh || job.state().ended()) continue;
        last_read = now;
        job.refresh();
    }
}

bus::VariantMap result_of(JobProxy& job, ProgressView& view) {
    view.finish();
    if (job.state().state != "done") throw error_from_job(job.failure());
    return job.result();
}

/// Of those that run or are paused, the one that is (or is not) paused.
std::unique_ptr<JobProxy> find_job(BusSession& session, bool paused) {
    for (const std::string& path : ManagerProxy(session).running_jobs()) {
        auto job = std::make_unique<JobProxy>(session, path);
        if ((job->state().state == "paused") == paused) return job;
    }
    return nullptr;
}

}  // namespace

JobProxy::JobProxy(BusSession& session, const std::string& path)
    : session_(session), path_(path), proxy_(session.object_proxy(path)) {
    on_bus([this] {
        proxy_->uponSignal("PropertiesChanged")
            .onInterface(kProperties)
            .call([this](const std::string& interface,
                         const bus::VariantMap& changed,
                         const std::vector<std::string>&) {
                if (interface == bus::kJobInterface) merge_job(state_, changed);
            });
        bus::finish_registration(*proxy_);
    });
    refresh();
}

void JobProxy::refresh() {
    merge_job(state_, get_all(*proxy_, bus::kJobInterface));
}

void JobProxy::cancel() {
    static_cast<void>(session_.call(*proxy_, bus::kJobInterface, "Cancel"));
}

void JobProxy::pause() {
    static_cast<void>(session_.call(*proxy_, bus::kJobInterface, "Pause"));
}

void JobProxy::resume() {
    static_cast<void>(session_.call(*proxy_, bus::kJobInterface, "Resume"));
}

bus::VariantMap JobProxy::result() {
    return decode_map(get_all(*proxy_, bus::kJobInterface), "Result");
}

Failure JobProxy::failure() {
    return decode_failure(decode_map(get_all(*proxy_, bus::kJobInterface), "Error"));
}

ManagerProxy::ManagerProxy(BusSession& session)
    : session_(session), proxy_(session.object_proxy(bus::kManagerPath)) {}

void ManagerProxy::subscribe(NewJob new_job, NewState new_state) {
    on_bus([&] {
        proxy_->uponSignal("JobNew")
            .onInterface(bus::kManagerInterface)
            .call([new_job = std::move(new_job)](std::uint64_t,
                                                 const sdbus::ObjectPath& path,
                                                 const std::string&) { new_job(path); });
        proxy_->uponSignal("PropertiesChanged")
            .onInterface(kProperties)
            .call([new_state = std::move(new_state)](const std::string&,
                                                     const bus::VariantMap& changed,
                                                     const std::vector<std::string>&) {
                const std::string state = decode_status(changed).state;
                if (!state.empty()) new_state(state);
            });
        bus::finish_registration(*proxy_);
    });
}

Status ManagerProxy::status() {
    return decode_status(get_all(*proxy_, bus::kManagerInterface));
}

std::vector<HistoryEntry> ManagerProxy::history(const bus::VariantMap& options) {
    sdbus::MethodReply reply = session_.call(*proxy_, bus::kManagerInterface, "History", options);
    return on_bus([&] {
        std::vector<bus::VariantMap> maps;
        reply >> maps;
        std::vector<HistoryEntry> out;
        for (const bus::VariantMap& map : maps)
            out.push_back(decode_history(map));
        return out;
    });
}

std::string ManagerProxy::start(const char* method, const bus::VariantMap& options) {
    sdbus::MethodReply reply = session_.call(*proxy_, bus::kManagerInterface, method, options);
    return on_bus([&] {
        sdbus::ObjectPath path;
        reply >> path;
        return std::string(path);
    });
}

std::vector<std::string> ManagerProxy::running_jobs() {
    const bus::VariantMap properties = get_all(*proxy_, bus::kManagerInterface);
    const auto found = properties.find("Jobs");
    if (found == properties.end()) return {};
    const auto paths = found->second.get<std::vector<sdbus::ObjectPath>>();
    return {paths.begin(), paths.end()};
}

bus::VariantMap ManagerProxy::policy() {
    return decode_map(get_all(*proxy_, bus::kManagerInterface), "Policy");
}

void ManagerProxy::set_policy(const bus::VariantMap& options) {
    static_cast<void>(session_.call(*proxy_, bus::kManagerInterface, "SetPolicy", options));
}

std::vector<Blocker> ManagerProxy::blockers() {
    return status().blockers;
}

void ManagerProxy::soft_reboot() {
    static_cast<void>(
        session_.call(*proxy_, bus::kManagerInterface, "SoftReboot", bus::VariantMap{}));
}

void ManagerProxy::cancel() {
    static_cast<void>(session_.call(*proxy_, bus::kManagerInterface, "Cancel", bus::VariantMap{}));
}

bus::VariantMap run_job(BusSession& session,
                        const char* method,
                        const bus::VariantMap& options,
                        ProgressView& view) {
    ManagerProxy manager(session);
    std::set<std::string> announced;
    manager.subscribe([&](const std::string& path) { announced.insert(path); }, [](auto&&) {});
    JobProxy job(session, manager.start(method, options));
    wait_for_end(
        session, job, [&] { return announced.count(job.path()) > 0; }, view);
    return result_of(job, view);
}

std::optional<bus::VariantMap> follow_job(BusSession& session,
                                          const std::string& kind,
                                          ProgressView& view) {
    const auto job = find_job(session, false);
    if (!job || job->state().kind != kind) return std::nullopt;
    wait_for_end(
        session, *job, [] { return false; }, view);
    return result_of(*job, view);
}

void throw_if_waiting(const std::vector<Blocker>& blockers) {
    const std::map<std::string, ErrorCode> codes = {{"shutting-down", ErrorCode::NotYet},
                                                    {"shutdown-inhibited", ErrorCode::Inhibited},
                                                    {"on-battery", ErrorCode::OnBattery},
                                                    {"metered", ErrorCode::Metered},
                                                    {"not-idle", ErrorCode::NotIdle},
                                                    {"outside-window", ErrorCode::OutsideWindow},
                                                    {"rollout", ErrorCode::NotYet},
                                                    {"back-off", ErrorCode::NotYet},
                                                    {"waiting", ErrorCode::NotYet}};
    std::string text;
    std::optional<ErrorCode> code;
    for (const auto& [kind, why] : blockers) {
        const auto known = codes.find(kind);
        if (known == codes.end()) continue;
        if (!code) code = known->second;
        text += (text.empty() ? "" : "; ") + why;
    }
    if (!code) return;
    throw Error(
        *code, text, "It goes on by itself when that has passed; 'cfsctl update' does not wait.");
}

bool pause_job(BusSession& session) {
    const auto job = find_job(session, false);
    if (!job) {
        if (find_job(session, true)) return false;
        throw Error(ErrorCode::NotFound, "no job is running", "there is nothing to pause");
    }
    job->pause();
    while (job->state().state != "paused") {
        if (job->state().ended()) {
            throw Error(ErrorCode::Cancelled,
                        "job " + std::to_string(job->state().id) +
                            " was over before it paused: " + job->state().state,
                        "'cfsctl status' shows what came of it");
        }
        session.wait(kRefresh);
        if (session.take_interrupt()) {
            throw Error(ErrorCode::Cancelled,
                        "left; the job pauses as soon as it can",
                        "'cfsctl monitor' shows it");
        }
        if (session.daemon_gone()) {
            throw Error(
                ErrorCode::Io, "the update daemon went away", "see 'journalctl -u cfsupdated'");
        }
        job->refresh();
    }
    return true;
}

bus::VariantMap resume_job(BusSession& session, ProgressView& view) {
    const auto job = find_job(session, true);
    if (!job) {
        throw Error(ErrorCode::NotFound, "no job is paused", "'cfsctl update' starts an update");
    }
    job->resume();
    job->refresh();
    wait_for_end(
        session, *job, [] { return false; }, view);
    return result_of(*job, view);
}

}  // namespace cfs::client
