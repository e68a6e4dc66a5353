// SPDX-License-Identifier: Apache-2.0
/// \file What the service manager is told. All of it does nothing when none listens.
#pragma once

#include <chrono>
#include <optional>

namespace cfs {

/// \param state as sd_notify(3) takes it: "READY=1", "STOPPING=1", "WATCHDOG=1"
void notify_manager(const char* state) noexcept;

/// How often the service manager wants to hear from us, at the latest.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() noexcept;

}  // namespace cfs
