// SPDX-License-Identifier: Apache-2.0
/// \file Numbers as people read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::client {

/// "0 B", "999 B", "1.5 KiB", "12.3 MiB": at most 10 characters.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

/// "0:07", "12:34", "3:02:01", ">99 h": at most 8 characters.
[[nodiscard]] std::string human_duration(std::uint64_t seconds);

/// Local time "2026-01-31 12:00"; "never" for 0.
[[nodiscard]] std::string human_time(std::int64_t seconds_since_epoch);

/// The same without the time of day.
[[nodiscard]] std::string human_date(std::int64_t seconds_since_epoch);

/// `count` and the noun, with an "s" unless it is one: "1 object", "2 objects".
[[nodiscard]] std::string plural(std::uint64_t count, std::string_view noun);

/// `text` cut to `width` columns with "..." at the end when it is longer. Counts UTF-8 characters,
/// never splits one.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t width);

/// `text` broken at spaces into lines of at most `width` columns; a longer word gets its own line.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width);

/// Lines of `text` longer than `width` broken at spaces, what follows indented two further; 0: as
/// it is.
[[nodiscard]] std::string fold(std::string_view text, std::size_t width);

/// The same for text in two columns: what follows stands in the second one, which begins at
/// `column`.
[[nodiscard]] std::string fold_columns(std::string_view text,
                                       std::size_t width,
                                       std::size_t column);

/// Number of UTF-8 characters.
[[nodiscard]] std::size_t columns(std::string_view text);

}  // namespace cfs::client
