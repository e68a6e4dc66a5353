// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace cfs::test {

/// `tests/all --long`.
[[nodiscard]] bool is_long();

/// $CFS_SEED or a new one; prints it, so that a failure can be had again.
[[nodiscard]] unsigned choose_seed();

/// How long an update to v2 takes on the prepared machine.
[[nodiscard]] std::chrono::microseconds duration_of_an_update(const std::string& machine);

}  // namespace cfs::test
