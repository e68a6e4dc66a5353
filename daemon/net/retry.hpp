// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace cfs::net {

/// How long to wait before attempt number `attempt` (1 = the first repetition): `base` doubled each
/// time, at most 30 s, times a factor in [1/2, 1) that depends on `seed` and `attempt` only, so
/// that machines spread and a test can predict.
[[nodiscard]] std::chrono::milliseconds retry_delay(unsigned attempt,
                                                    std::uint64_t seed,
                                                    std::chrono::milliseconds base);

/// Sleeps; ends at once with Cancelled when stopped.
void wait_or_stop(std::chrono::milliseconds duration, const std::stop_token& stop);

}  // namespace cfs::net
