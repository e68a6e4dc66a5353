// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "service/execute.hpp"
#include "service/job_view.hpp"
#include "service/rate_meter.hpp"
#include "service/worker.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace cfs::service {

/// The job table: at most one job waits or runs, at most one is paused, ended ones stay visible for
/// a while. Knows no bus.
///
/// A paused job is a stopped one that goes on under its number: no thread and no lock waits for it,
/// other jobs may run meanwhile, but no update. Once its state is "paused" that survives a restart
/// and a crash; whatever happens before leaves a stopped job.
///
/// Main thread only; the engine is called on the job thread, and only values travel between them.
/// Nothing here waits for the job thread except the destructor.
class Jobs {
 public:
    struct Timing {
        std::chrono::milliseconds progress{
            250};  ///< with the final state at most 5 signals a second
        std::chrono::milliseconds keep{60'000};  ///< how long an ended job stays
        std::size_t most_kept = 64;              ///< and how many; the oldest goes first
        std::size_t most_kept_bytes = std::size_t{4} << 20;  ///< of their results, but for the last
        /// For so long a Check of others than root is answered with the last one of the same image;
        /// less than `keep`.
        std::chrono::milliseconds check_again{20'000};
        std::chrono::milliseconds check_again_failed{5'000};
    };

    /// What others do about it. All are called on the main thread, from the loop or from within
    /// submit() and cancel(); they must not throw.
    struct Hooks {
        /// Before a new job is accepted: what it throws refuses that. May be missing.
        std::function<void(const JobRequest&)> admit = {};
        std::function<void()> ready;    ///< once: the first status is there
        std::function<void()> refresh;  ///< status(), state_name() or active() changed
        std::function<void(const JobView&)> added;
        std::function<void(const JobView&)> changed;
        std::function<void(const JobView&)> ended;  ///< after `changed` and `refresh`
        std::function<void(std::uint64_t id)> forgotten;
    };

    /// \pre `io` and `engine` outlive this; `io` does not run any more when this is destroyed
    Jobs(boost::asio::io_context& io, update::Engine& engine, Timing timing, Hooks hooks);
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;
    ~Jobs();

    /// Reads the status, calls Hooks::ready, and has the engine put in order what the last run
    /// left; jobs that come meanwhile wait. Once.
    void start();

    /// Reads the status again, after a job that runs: somebody else changed something.
    void look_again();

    /// \param initiator of the job, if this becomes a new one; who joins is not told
    /// \returns the id of a new job, or of the running one that does the same already; a Check of
    /// others than root may get one that ended just now, so that nobody makes us knock at a
    /// registry without end \throws Busy naming the job that runs; Inhibited for an update while
    /// one is paused, unless root asks and somebody else started that: then it is given up;
    /// Cancelled when stopping; what kept us from an id
    std::uint64_t submit(const JobRequest& request, const Initiator& initiator = {});

    /// Asks a job to stop; nothing for one that ended. \throws NotFound for an unknown id
    void cancel(std::uint64_t id);

    /// Asks a job to stop and to stay; nothing for one that does already. \throws NotFound for one
    /// that ended; Unsupported for a kind that cannot; Busy for one that is being cancelled
    void pause(std::uint64_t id);

    /// Has a paused job go on; nothing for one that runs. \throws NotFound; Busy while it cannot
    void resume(std::uint64_t id);

    /// The job that waits or runs.
    [[nodiscard]] const JobView* active() const { return active_ ? &active_->view : nullptr; }

    [[nodiscard]] const JobView* paused() const { return paused_ ? &paused_->view : nullptr; }

    /// "starting", "idle", "paused", "updating", ...
    [[nodiscard]] std::string state_name() const;

    [[nodiscard]] const update::Status& status() const { return status_; }

    /// Takes no more jobs and cancels the one there is (not a paused one); calls `done` when the
    /// job thread is idle.
    void shut_down(std::function<void()> done);

 private:
    struct Active {
        JobRequest request;
        JobView view;
        std::shared_ptr<ProgressBoard> board;
        std::stop_source stop;
        RateMeter meter;
        /// Read on the job thread: what is stopped now is to be put on record as paused.
        std::shared_ptr<std::atomic<bool>> pausing;
        bool was_paused = false;  ///< and is so on record until it runs
    };

    struct Paused {
        JobRequest request;
        JobView view;
    };

    struct Ended {
        std::uint64_t id;
        std::chrono::steady_clock::time_point until;
        std::size_t bytes;
    };

    /// The last Check that was not cancelled.
    struct LastCheck {
        JobRequest request;
        std::uint64_t id;
        std::chrono::steady_clock::time_point good_until;
    };

    [[nodiscard]] std::uint64_t take_id();
    void order_id();
    void add_id(const JobId& id);
    [[nodiscard]] bool joins(const JobRequest& request) const;
    [[nodiscard]] bool was_checked_just_now(const JobRequest& request,
                                            const Initiator& initiator) const;
    void remember_check(const JobRequest& request, const JobView& view);
    void run_on_worker();
    [[nodiscard]] Outcome run_task(const Active& job);
    void set_aside(Active job);
    void restore(const update::PausedJob& job);
    void cancel_paused();
    void give_up_paused(const std::optional<Error>& failed);
    void end(JobView view, const Outcome& outcome);
    [[nodiscard]] bool has_ended(std::uint64_t id) const;
    [[nodiscard]] static Error unknown(std::uint64_t id);
    void started();
    void finished(Outcome outcome, std::optional<update::Status> status);
    void take_status(std::optional<update::Status> status);
    void arm_progress();
    void show_progress();
    void keep_for_a_while(const JobView& view);
    void arm_expiry();
    void forget_oldest();

    boost::asio::io_context& io_;
    Timing timing_;
    Hooks hooks_;
    Executor executor_;  ///< the job thread's
    boost::asio::steady_timer progress_timer_;
    boost::asio::steady_timer expiry_timer_;
    update::Status status_;
    /// For the next jobs. To make one is to write it to the disk, which no job's end waits for.
    std::deque<std::uint64_t> ids_;
    std::optional<Error> no_id_;  ///< why the last one could not be made
    std::optional<Active> active_;
    std::optional<Paused> paused_;
    std::deque<Ended> ended_;
    std::size_t ended_bytes_ = 0;
    std::optional<LastCheck> last_check_;
    bool starting_ = true;
    bool stopping_ = false;
    Worker worker_;  ///< last: joined before anything that its tasks use goes
};

}  // namespace cfs::service
