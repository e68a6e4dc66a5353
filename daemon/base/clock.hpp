// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace cfs {

/// The time seam: tests pass a fake one, so that nothing sleeps. Thread-safe.
class Clock {
 public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    /// Wall clock: for records and for people.
    [[nodiscard]] virtual std::chrono::system_clock::time_point now() const = 0;

    /// Never jumps: for durations.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point steady() const = 0;
};

/// The real one; lives for ever.
[[nodiscard]] const Clock& system_clock();

/// Seconds since the epoch.
[[nodiscard]] inline std::int64_t unix_seconds(const Clock& clock) {
    return std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
}

}  // namespace cfs
