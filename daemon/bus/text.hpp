// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cfs::bus {

/// Longest text that goes over the bus as one value; longer ones are cut.
inline constexpr std::size_t kMaxText = std::size_t{64} * 1024;

/// `text` as the bus takes it: valid UTF-8 (Unicode 3.9, table 3-7) without NUL and without
/// noncharacters, at most `limit` bytes and a mark that something was cut. Each byte that fits
/// nowhere becomes U+FFFD.
[[nodiscard]] std::string bus_text(std::string_view text, std::size_t limit = kMaxText);

/// The same in one line: control characters become '?'. For what callers want people to read.
[[nodiscard]] std::string bus_line(std::string_view text, std::size_t limit);

}  // namespace cfs::bus
