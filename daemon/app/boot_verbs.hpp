// SPDX-License-Identifier: Apache-2.0
/// \file Verbs that units of the boot run, without bus and daemon. Each returns the process's exit
/// status.
#pragma once

#include "settings/settings.hpp"

#include <string>

namespace cfs::app {

/// 0: passed; 1: a required check failed.
[[nodiscard]] int boot_check(const settings::Settings& settings);

/// 0: what runs is proven.
[[nodiscard]] int mark_boot_good(const settings::Settings& settings);

/// 0: the machine is to start again, which the unit does; 2: it stays.
[[nodiscard]] int boot_failed(const settings::Settings& settings, const std::string& reason);

/// Sleeps until health.deadline, unless a signal ends it before. Then 1.
[[nodiscard]] int wait_for_deadline(const settings::Settings& settings);

}  // namespace cfs::app
