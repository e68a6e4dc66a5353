// SPDX-License-Identifier: Apache-2.0
#include "settings/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace cfs::settings {
namespace {

struct Unit {
    std::string_view suffix;
    std::uint64_t factor;
};

// Largest first, because the formatters take the first that divides.
constexpr std::array<Unit, 5> kSizes{{{"T", std::uint64_t{1} << 40},
                                      {"G", std::uint64_t{1} << 30},
                                      {"M", std::uint64_t{1} << 20},
                                      {"K", std::uint64_t{1} << 10},
                                      {"", 1}}};
constexpr std::array<Unit, 4> kDurations{
    {{"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::uint64_t kMaxSize = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kMaxMilliseconds = std::uint64_t{366} * 24 * 3'600'000;

template <std::size_t N>
std::optional<std::uint64_t> parse(std::string_view text,
                                   const std::array<Unit, N>& units,
                                   std::uint64_t limit) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(text.data(), end, number);
    if (failed != std::errc{}) return std::nullopt;
    const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
    for (const Unit& unit : units) {
        if (unit.suffix != suffix) continue;
        if (number > limit / unit.factor) return std::nullopt;
        return number * unit.factor;
    }
    return std::nullopt;
}

template <std::size_t N>
std::string format(std::uint64_t value, const std::array<Unit, N>& units) {
    for (const Unit& unit : units) {
        if (value % unit.factor != 0 || (value == 0 && unit.factor != 1)) continue;
        return std::to_string(value / unit.factor) + std::string(unit.suffix);
    }
    return std::to_string(value);
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
    return parse(text, kSizes, kMaxSize);
}

std::string format_size(std::uint64_t bytes) {
    return format(bytes, kSizes);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto value = parse(text, kDurations, kMaxMilliseconds);
    if (!value) return std::nullopt;
    return std::chrono::milliseconds(*value);
}

std::string format_duration(std::chrono::milliseconds duration) {
    return format(static_cast<std::uint64_t>(duration.count()), kDurations);
}

}  // namespace cfs::settings
