// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>

namespace cfs::store {

/// Many may hold it; while one does, nobody collects. Released by destruction (or the end of the
/// process). Movable; any thread.
class SharedLock {
 public:
    explicit SharedLock(UniqueFd fd) : fd_(std::move(fd)) {}

 private:
    UniqueFd fd_;
};

/// Held by at most one and by nobody beside shared holders: what collect_garbage() wants to see.
class ExclusiveLock {
 public:
    explicit ExclusiveLock(UniqueFd fd) : fd_(std::move(fd)) {}

    /// Is it a lock on that directory?
    [[nodiscard]] bool covers(int dir_fd) const;

 private:
    UniqueFd fd_;
};

/// flock on a new descriptor of the directory `dir_fd`, tried without blocking until `timeout` is
/// over. Busy names the holding processes as far as /proc/locks tells.
/// \param operation LOCK_SH or LOCK_EX
/// \param path for messages
[[nodiscard]] UniqueFd lock_directory(int dir_fd,
                                      int operation,
                                      std::chrono::milliseconds timeout,
                                      const std::stop_token& stop,
                                      const std::string& path);

}  // namespace cfs::store
