// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace cfs::bus {

/// Who started a job. That connection's user may stop, pause and resume it
/// without being asked.
struct Initiator {
    std::uint32_t uid = 0;
    std::string
        name;  ///< unique bus name, never used again by another connection; empty: before a restart
};

}  // namespace cfs::bus
