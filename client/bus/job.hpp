// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/bus/session.hpp"
#include "client/model.hpp"
#include "client/output/progress_view.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cfs::client {

/// One job of the daemon, kept up to date by its signals. Subscribes first and reads then, so that
/// nothing is lost between the two. The session must outlive it.
class JobProxy {
 public:
    JobProxy(BusSession& session, const std::string& path);
    JobProxy(const JobProxy&) = delete;
    JobProxy& operator=(const JobProxy&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] const JobState& state() const { return state_; }

    /// Reads everything again.
    void refresh();

    void cancel();
    void pause();
    void resume();

    /// a{sv} property, read now.
    [[nodiscard]] bus::VariantMap result();
    [[nodiscard]] Failure failure();

 private:
    BusSession& session_;
    std::string path_;
    std::unique_ptr<sdbus::IProxy> proxy_;
    JobState state_;
};

/// The daemon's Manager object.
class ManagerProxy {
 public:
    /// The session must outlive it.
    explicit ManagerProxy(BusSession& session);
    ManagerProxy(const ManagerProxy&) = delete;
    ManagerProxy& operator=(const ManagerProxy&) = delete;

    [[nodiscard]] Status status();

    /// Newest first.
    [[nodiscard]] std::vector<HistoryEntry> history(const bus::VariantMap& options);

    /// Calls a method that starts a job; returns the job's object path.
    [[nodiscard]] std::string start(const char* method, const bus::VariantMap& options);

    /// Object paths of the jobs that wait or run, or are paused.
    [[nodiscard]] std::vector<std::string> running_jobs();

    /// The property Policy.
    [[nodiscard]] bus::VariantMap policy();
    void set_policy(const bus::VariantMap& options);

    /// As they are now.
    [[nodiscard]] std::vector<Blocker> blockers();

    /// All that runs begins anew in the version that waits. NotFound when none does, Unsupported
    /// when that needs a reboot.
    void soft_reboot();

    /// Asks the running job to stop, or gives up the paused one. NotFound without one.
    void cancel();

    using NewJob = std::function<void(const std::string& path)>;
    using NewState = std::function<void(const std::string& state)>;

    /// At most once. The handlers run inside BusSession::wait() and may not call the bus.
    void subscribe(NewJob new_job, NewState new_state);

 private:
    BusSession& session_;
    std::unique_ptr<sdbus::IProxy> proxy_;
};

/// Starts a job, shows its progress and waits for its end; returns its Result. Ctrl-C asks the job
/// to stop if this call started it, and only leaves if it joined one. Throws what the job failed
/// with, Cancelled included; Inhibited when somebody paused it; Io when the daemon goes away.
[[nodiscard]] bus::VariantMap run_job(BusSession& session,
                                      const char* method,
                                      const bus::VariantMap& options,
                                      ProgressView& view);

/// Shows a job of this kind that runs and waits for its end, as run_job() does for one of somebody
/// else; nullopt when none runs.
[[nodiscard]] std::optional<bus::VariantMap> follow_job(BusSession& session,
                                                        const std::string& kind,
                                                        ProgressView& view);

/// Throws what an automatic update waits for, if it does.
void throw_if_waiting(const std::vector<Blocker>& blockers);

/// Pauses the job that runs and waits until it is. False when one is paused already; NotFound
/// without one; Cancelled when Ctrl-C was pressed, and when the job had ended before.
[[nodiscard]] bool pause_job(BusSession& session);

/// Has the paused job go on, and then as run_job() for a job of somebody else. NotFound without
/// one.
[[nodiscard]] bus::VariantMap resume_job(BusSession& session, ProgressView& view);

}  // namespace cfs::client
