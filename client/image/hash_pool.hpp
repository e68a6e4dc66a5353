// SPDX-License-Identifier: Apache-2.0
/// \file Work on many small things by a few threads.
#pragma once

#include "client/image/scan_entry.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cfs::client {

/// Reads files that one thread, the owner, finds. The owner helps when the others cannot follow,
/// so that with one thread no other is started. What a reader throws, add() or finish() rethrow.
class HashPool {
 public:
    /// Makes the reader of one thread: called in the owner's thread, used in its own.
    using MakeReader = std::function<std::function<void(ScanTask&)>()>;

    HashPool(unsigned threads, const MakeReader& make_reader);
    HashPool(const HashPool&) = delete;
    HashPool& operator=(const HashPool&) = delete;
    ~HashPool();

    void add(ScanTask task);

    /// Returns when everything is read.
    void finish();

 private:
    using Batch = std::vector<ScanTask>;

    void work(const std::function<void(ScanTask&)>& read);
    void push(Batch batch);
    void rethrow(std::unique_lock<std::mutex>& lock);
    void stop();

    std::function<void(ScanTask&)> read_;  ///< the owner's
    Batch batch_;                          ///< the owner's, not handed out yet
    std::mutex mutex_;
    std::condition_variable more_;
    std::deque<Batch> queue_;
    std::exception_ptr failure_;
    bool ended_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace cfs::client
