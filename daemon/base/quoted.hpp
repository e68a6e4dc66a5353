// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace cfs {

/// What becomes of bytes above ASCII.
enum class HighBytes {
    Keep,    ///< for text that is known to be UTF-8
    Escape,  ///< each becomes the character of its number, so the result is valid whatever came in
};

/// In double quotes and escaped, as JSON and TOML both read it.
[[nodiscard]] std::string quoted(std::string_view text, HighBytes high);

}  // namespace cfs
