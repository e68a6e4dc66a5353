// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/sysupdate/daemon.hpp"
#include "client/sysupdate/job_object.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cfs::sysupdate {

/// The jobs that were started through us: one that runs, and ended ones for a while, so that a
/// client that makes its proxy late finds them. Main thread only.
///
/// A job of the daemon is a job here, under the daemon's number: that one is persisted there before
/// it is used and never repeats, so there is nothing to persist here. One that is paused goes on
/// with the daemon that resumes it, and is lost with one that does not know it. Jobs end with the
/// adapter: the daemon's goes on, and whoever heard JobRemoved with -ECONNRESET looks again.
class Jobs {
 public:
    struct Timing {
        std::chrono::milliseconds keep{60'000};  ///< how long an ended job stays
        std::size_t most_kept = 64;              ///< and how many; the oldest goes first
    };

    /// `removed` is called last, after the job's final progress; must not throw.
    using Removed = std::function<void(const JobFacts& facts, std::int32_t status)>;

    Jobs(boost::asio::io_context& io,
         sdbus::IConnection& connection,
         bus::BusPump& pump,
         bus::CallerCheck& callers,
         Daemon& daemon,
         Timing timing,
         Removed removed);
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;
    ~Jobs();

    /// The daemon has accepted it: its object is there when this returns.
    /// \pre none runs
    void add(JobFacts facts);

    /// The one that runs.
    [[nodiscard]] const JobObject* active() const {
        return active_ ? active_->object.get() : nullptr;
    }

    [[nodiscard]] bool is_empty() const { return !active_ && ended_.empty(); }

    // What the daemon says; of other jobs it is nothing.
    void progress(const std::string& job, const bus::VariantMap& changed);
    void ended(const std::string& job, const Ended& how);
    void replaced();

    /// Ends the one that runs: nobody follows it any more.
    void abandon();

 private:
    struct Active {
        std::unique_ptr<JobObject> object;
        client::JobState state;
    };

    struct Kept {
        std::unique_ptr<JobObject> object;
        std::chrono::steady_clock::time_point until;
    };

    [[nodiscard]] bool is_active(const std::string& job) const;
    void cancel(std::uint64_t id, JobObject::Cancelled then);
    void look();
    void keep(std::unique_ptr<JobObject> object);
    void arm_expiry();

    sdbus::IConnection& connection_;
    bus::BusPump& pump_;
    bus::CallerCheck& callers_;
    Daemon& daemon_;
    Timing timing_;
    Removed removed_;
    boost::asio::steady_timer expiry_;
    std::optional<Active> active_;
    std::deque<Kept> ended_;
    std::shared_ptr<Jobs*> self_;  ///< what comes later looks whether this is still there
};

}  // namespace cfs::sysupdate
