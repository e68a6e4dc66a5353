// SPDX-License-Identifier: Apache-2.0
/// \file What the terminal can do, and text in colour.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cfs::client {

[[nodiscard]] bool is_terminal(int fd);

/// Columns of the terminal on `fd`; 80 when it is none or does not say.
[[nodiscard]] std::size_t terminal_width(int fd);

/// Colour is used on `fd`: it is a terminal that is not "dumb", NO_COLOR is unset, and `allowed`.
[[nodiscard]] bool use_color(int fd, bool allowed);

enum class Color { Bold, Dim, Red, Green, Yellow };

/// `text` in a colour when `enabled`; otherwise as it is.
[[nodiscard]] std::string paint(std::string_view text, Color color, bool enabled);

}  // namespace cfs::client
