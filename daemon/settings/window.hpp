// SPDX-License-Identifier: Apache-2.0
/// \file Times of the week as people write them in a configuration file: "Mon..Fri 02:00-04:30".
///
///     window = [ days " " ] time "-" time
///     days   = item { "," item }
///     item   = day | day ".." day            Sat..Mon goes over the end of the week
///     day    = "Mon" | "Tue" | "Wed" | "Thu" | "Fri" | "Sat" | "Sun"
///     time   = two digits ":" two digits     00:00 to 23:59; the second one may be 24:00
///
/// Local time. Without days: every day. An end that is not after the beginning is on the next day,
/// and the days are those on which it begins. The same time twice is refused: it could mean all day
/// (00:00-24:00) or never.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::settings {

inline constexpr int kMinutesOfDay = 24 * 60;
inline constexpr int kMinutesOfWeek = 7 * kMinutesOfDay;

struct Window {
    std::uint8_t days = 0x7f;  ///< bit 0: Monday; never 0
    int begin = 0;             ///< minutes since midnight, 0..1439
    int end = kMinutesOfDay;   ///< 0..1440, not `begin`; before it: on the next day

    /// \param minute of the week, since Monday 00:00 by the wall clock
    [[nodiscard]] bool holds(int minute) const;

    bool operator==(const Window&) const = default;
};

/// nullopt: no window.
[[nodiscard]] std::optional<Window> parse_window(std::string_view text);

/// One spelling that parse_window reads, the same for equal windows.
[[nodiscard]] std::string format_window(const Window& window);

}  // namespace cfs::settings
