// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"

#include <functional>
#include <stop_token>
#include <thread>

namespace cfs::client {

/// Ctrl-C and SIGTERM while it lives: the first runs `first` on a thread of its own, the second
/// ends the process at once with exit code 1 (every verb leaves "old" or "new" behind, whenever it
/// dies). Make it before other threads, so that they inherit the blocked signals.
class Interrupts {
 public:
    explicit Interrupts(std::function<void()> first);
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    ~Interrupts();

 private:
    void watch();

    std::function<void()> first_;
    UniqueFd signals_;
    UniqueFd quit_;
    std::thread thread_;
};

}  // namespace cfs::client
