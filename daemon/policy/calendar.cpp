// SPDX-License-Identifier: Apache-2.0
#include "policy/calendar.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace cfs::policy {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

/// tm{} of the year 1970 for a clock that is beyond what the C library can name.
std::tm local(Time time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm out{};
    if (::localtime_r(&seconds, &out) == nullptr) return {};
    return out;
}

int minute_of_week(const std::tm& when) {
    return (when.tm_wday + 6) % 7 * settings::kMinutesOfDay + when.tm_hour * 60 + when.tm_min;
}

bool holds(const Windows& windows, int minute) {
    return windows.empty() || std::any_of(windows.begin(), windows.end(), [&](const auto& window) {
               return window.holds(minute);
           });
}

}  // namespace

bool is_open(const Windows& windows, Time now) {
    return holds(windows, minute_of_week(local(now)));
}

std::optional<Time> next_change(const Windows& windows, Time now) {
    if (now > Time::max() - hours(10 * 24)) return std::nullopt;
    const bool open = is_open(windows, now);
    const Time last = now + hours(9 * 24);
    const auto whole = std::chrono::floor<minutes>(now);
    for (Time hour = whole; hour < last; hour += hours(1)) {
        // Only where the clock is changed the C library has to be asked for every minute.
        const std::tm begins = local(hour);
        const bool even = begins.tm_gmtoff == local(hour + hours(1)).tm_gmtoff;
        const int first = minute_of_week(begins);
        for (int minute = hour == whole ? 1 : 0; minute < 60; ++minute) {
            const Time at = hour + minutes(minute);
            const bool then = even ? holds(windows, (first + minute) % settings::kMinutesOfWeek)
                                   : is_open(windows, at);
            if (then != open) return at;
        }
    }
    return std::nullopt;
}

std::string local_text(Time time) {
    const std::tm when = local(time);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%a %Y-%m-%d %H:%M", &when);
    return text.data();
}

}  // namespace cfs::policy
