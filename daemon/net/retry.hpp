// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace cfs::net {

/// How long to wait before attempt number `attempt` (1 = the first repetition): `base` doubled each
/// time, at most 30 s, times a factor in [1/2, 1) that depends on `seed` and `attempt` only, so
/// that machines spread and a test can predict.
[[nodiscard]] std::chrono::milliseconds retry_delay(unsigned attempt,
                                                    std::uint64_t seed,
                                                    std::chrono::milliseconds base);

/// What a Retry-After field asks for (RFC 9110 10.2.3): seconds, or a date, which is counted from
/// the server's own `date` where it says one, because a device's clock may be wrong. nullopt: it is
/// neither. Takes hostile text; at most a year, never negative.
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(
    const std::string& value, const std::string& date, std::chrono::system_clock::time_point now);

/// Sleeps; ends at once with Cancelled when stopped.
void wait_or_stop(std::chrono::milliseconds duration, const std::stop_token& stop);

}  // namespace cfs::net
