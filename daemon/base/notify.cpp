// SPDX-License-Identifier: Apache-2.0
#include "base/notify.hpp"

#include <systemd/sd-daemon.h>

#include <cstdint>

namespace cfs {

void notify_manager(const char* state) noexcept {
    // A failure is not ours to mend, and the manager notices silence by itself.
    (void)::sd_notify(0, state);
}

std::optional<std::chrono::microseconds> watchdog_interval() noexcept {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
    return std::chrono::microseconds(microseconds);
}

}  // namespace cfs
