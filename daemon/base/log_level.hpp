// SPDX-License-Identifier: Apache-2.0
/// \file What is logged, while the program runs. Thread-safe, after log::init().
#pragma once

#include "base/log.hpp"

namespace cfs::log {

[[nodiscard]] Level level();

void set_level(Level level);

/// Standard error is the journal's.
[[nodiscard]] bool goes_to_journal();

}  // namespace cfs::log
