// SPDX-License-Identifier: Apache-2.0
#include "settings/window.hpp"

#include <algorithm>
#include <array>

namespace cfs::settings {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::size_t kTimesLength = std::string_view("00:00-00:00").size();

std::optional<std::size_t> parse_day(std::string_view text) {
    const auto found = std::find(kDays.begin(), kDays.end(), text);
    if (found == kDays.end()) return std::nullopt;
    return static_cast<std::size_t>(found - kDays.begin());
}

/// The bits of "Mon" or "Mon..Fri".
std::optional<unsigned> parse_item(std::string_view text) {
    const std::size_t dots = text.find("..");
    const auto first = parse_day(text.substr(0, dots));
    const auto last = dots == text.npos ? first : parse_day(text.substr(dots + 2));
    if (!first || !last) return std::nullopt;
    unsigned bits = 0;
    for (std::size_t day = *first;; day = (day + 1) % kDays.size()) {
        bits |= 1U << day;
        if (day == *last) return bits;
    }
}

std::optional<std::uint8_t> parse_days(std::string_view text) {
    unsigned bits = 0;
    for (;;) {
        const std::size_t comma = text.find(',');
        const auto item = parse_item(text.substr(0, comma));
        if (!item) return std::nullopt;
        bits |= *item;
        if (comma == text.npos) return static_cast<std::uint8_t>(bits);
        text.remove_prefix(comma + 1);
    }
}

/// Minutes of "04:30".
std::optional<int> parse_time(std::string_view text) {
    constexpr std::string_view kForm = "00:00";
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() != kForm.size()) return std::nullopt;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (kForm[at] == ':' ? text[at] != ':' : !is_digit(text[at])) return std::nullopt;
    }
    const int hours = (text[0] - '0') * 10 + (text[1] - '0');
    const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    if (minutes > 59 || hours * 60 + minutes > kMinutesOfDay) return std::nullopt;
    return hours * 60 + minutes;
}

std::string format_time(int minutes) {
    const auto two = [](int number) {
        return std::string(number < 10 ? "0" : "") + std::to_string(number);
    };
    return two(minutes / 60) + ":" + two(minutes % 60);
}

/// Runs of days that follow each other, within the week.
std::string format_days(unsigned bits) {
    std::string out;
    for (std::size_t day = 0; day < kDays.size(); ++day) {
        if ((bits >> day & 1U) == 0) continue;
        std::size_t last = day;
        while (last + 1 < kDays.size() && (bits >> (last + 1) & 1U) != 0)
            ++last;
        if (!out.empty()) out += ',';
        out += kDays[day];
        if (last != day) out += (last == day + 1 ? "," : "..") + std::string(kDays[last]);
        day = last;
    }
    return out;
}

}  // namespace

bool Window::holds(int minute) const {
    const int day = minute / kMinutesOfDay;
    const int time = minute % kMinutesOfDay;
    const auto begins_on = [this](int which) { return (days >> which & 1) != 0; };
    if (begin < end) return begins_on(day) && time >= begin && time < end;
    return (begins_on(day) && time >= begin) || (begins_on((day + 6) % 7) && time < end);
}

std::optional<Window> parse_window(std::string_view text) {
    Window window;
    const std::size_t space = text.find(' ');
    if (space != text.npos) {
        const auto days = parse_days(text.substr(0, space));
        if (!days) return std::nullopt;
        window.days = *days;
        text.remove_prefix(space + 1);
    }
    if (text.size() != kTimesLength || text[5] != '-') return std::nullopt;
    const auto begin = parse_time(text.substr(0, 5));
    const auto end = parse_time(text.substr(6));
    if (!begin || !end || *begin == kMinutesOfDay || *begin == *end) return std::nullopt;
    window.begin = *begin;
    window.end = *end;
    return window;
}

std::string format_window(const Window& window) {
    const std::string days = window.days == 0x7f ? "" : format_days(window.days) + " ";
    return days + format_time(window.begin) + "-" + format_time(window.end);
}

}  // namespace cfs::settings
