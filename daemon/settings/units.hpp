// SPDX-License-Identifier: Apache-2.0
/// \file Sizes and durations as people write them in a configuration file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::settings {

/// "1048576", "512K", "64M", "8G", "1T": powers of 1024. nullopt: no size, or beyond 2^63 - 1.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// The shortest exact spelling that parse_size reads.
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// "500ms", "10s", "5min", "1h"; the unit is needed. nullopt: no duration, or beyond a year.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest exact spelling that parse_duration reads.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

}  // namespace cfs::settings
