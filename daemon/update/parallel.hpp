// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

namespace cfs::update {

/// One piece of work; it ends soon after `stop` is requested. Called on any thread.
using ParallelWork = std::function<void(std::size_t index, const std::stop_token& stop)>;

/// Does work(0) .. work(count - 1), at most `at_once` of them at the same time, in this order.
/// `tick` is called on the caller's thread about ten times a second and once at the end. The first
/// failure stops the others and is thrown when all have ended; without one, what `tick` throws.
void run_parallel(std::size_t count,
                  unsigned at_once,
                  const ParallelWork& work,
                  const std::function<void()>& tick,
                  const std::stop_token& stop);

}  // namespace cfs::update
