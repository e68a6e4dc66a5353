// SPDX-License-Identifier: Apache-2.0
#include "update/parallel.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace cfs::update {
namespace {

constexpr std::chrono::milliseconds kTick{100};

/// What the workers and the caller share.
class Crew {
 public:
    Crew(std::size_t count, const ParallelWork& work) : count_(count), work_(work) {}

    /// A worker's life: the next index until there is none, or somebody failed.
    void work_off() {
        while (const auto index = take()) {
            try {
                work_(*index, own_stop_.get_token());
            } catch (...) {
                fail(std::current_exception());
            }
        }
        const std::lock_guard guard(mutex_);
        ++ended_;
        changed_.notify_all();
    }

    /// True when `workers` have ended; waits a little before it says no.
    bool wait(std::size_t workers) {
        std::unique_lock guard(mutex_);
        return changed_.wait_for(guard, kTick, [&] { return ended_ == workers; });
    }

    void fail(std::exception_ptr why) {
        {
            const std::lock_guard guard(mutex_);
            if (!failure_) failure_ = std::move(why);
        }
        own_stop_.request_stop();
    }

    void request_stop() { own_stop_.request_stop(); }

    /// \pre all workers have ended
    [[nodiscard]] std::exception_ptr failure() const { return failure_; }

 private:
    std::optional<std::size_t> take() {
        const std::lock_guard guard(mutex_);
        if (next_ == count_ || failure_) return std::nullopt;
        return next_++;
    }

    const std::size_t count_;
    const ParallelWork& work_;
    std::stop_source own_stop_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t next_ = 0;   // guarded by mutex_, as all below
    std::size_t ended_ = 0;  // workers
    std::exception_ptr failure_;
};

}  // namespace

void run_parallel(std::size_t count,
                  unsigned at_once,
                  const ParallelWork& work,
                  const std::function<void()>& tick,
                  const std::stop_token& stop) {
    Crew crew(count, work);
    const std::stop_callback forward(stop, [&crew] { crew.request_stop(); });
    std::vector<std::jthread> workers;
    const std::size_t wanted = std::min<std::size_t>(count, std::max(1U, at_once));
    try {
        while (workers.size() < wanted)
            workers.emplace_back([&crew] { crew.work_off(); });
        while (!crew.wait(wanted))
            tick();
    } catch (...) {
        crew.fail(std::current_exception());
    }
    workers.clear();  // joined
    if (const auto failure = crew.failure()) std::rethrow_exception(failure);
    tick();
}

}  // namespace cfs::update
