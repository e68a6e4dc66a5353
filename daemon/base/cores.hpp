// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sched.h>

namespace cfs {

/// How many cores this process may use. std::thread::hardware_concurrency() counts those of the
/// machine, which a service with a CPU mask is not given.
[[nodiscard]] inline unsigned usable_cores() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
    return static_cast<unsigned>(CPU_COUNT(&cores));
}

}  // namespace cfs
