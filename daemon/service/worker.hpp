// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace cfs::service {

/// The job thread: runs tasks one by one, in order. It takes no signals; they go to the main
/// thread. The destructor waits for the task that runs, and for the others where they are to be
/// finished.
class Worker {
 public:
    /// Must not throw.
    using Task = std::function<void()>;

    /// What becomes of tasks that wait when this goes.
    enum class AtEnd { Drop, Finish };

    explicit Worker(AtEnd at_end = AtEnd::Drop);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    void post(Task task);

 private:
    void run(const std::stop_token& stop) noexcept;
    [[nodiscard]] Task next(const std::stop_token& stop);

    AtEnd at_end_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Task> tasks_;
    std::jthread thread_;  // last: started when everything else is there
};

}  // namespace cfs::service
