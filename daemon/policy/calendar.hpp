// SPDX-License-Identifier: Apache-2.0
/// \file Windows of the week against the clock. By the wall clock: what is 02:30 twice in an autumn
/// night is inside of "02:00-03:00" twice, and where that hour is left out in spring the window is,
/// too. Pure but for the process' time zone, which the C library reads (TZ, /etc/localtime).
#pragma once

#include "settings/window.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cfs::policy {

using Time = std::chrono::system_clock::time_point;
using Windows = std::vector<settings::Window>;

/// No windows: always.
[[nodiscard]] bool is_open(const Windows& windows, Time now);

/// The first moment after `now` at which is_open() is another than now; nullopt: none within nine
/// days, which are a week and what clocks are put forward and back.
[[nodiscard]] std::optional<Time> next_change(const Windows& windows, Time now);

/// "Tue 2026-11-24 02:00", local time; for people.
[[nodiscard]] std::string local_text(Time time);

}  // namespace cfs::policy
