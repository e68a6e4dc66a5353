// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace cfs::net {

/// Keeps what several threads take together to a rate. libcurl's own limit is no substitute: that
/// of Debian 12 (7.88) lets megabytes pass before it slows down, and it knows one transfer at a
/// time. Thread-safe.
class RateLimiter {
 public:
    /// \param rate bytes per second; 0: no limit
    explicit RateLimiter(std::uint64_t rate) : rate_(rate) {}

    /// Waits until what was taken before has had its time; throws Cancelled when stopped. The first
    /// piece never waits, so a stream's last piece goes out one piece early.
    void take(std::uint64_t bytes, const std::stop_token& stop);

 private:
    std::uint64_t rate_;
    std::mutex mutex_;
    std::chrono::steady_clock::time_point next_;  ///< guarded by mutex_
};

}  // namespace cfs::net
