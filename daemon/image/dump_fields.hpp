// SPDX-License-Identifier: Apache-2.0
/// \file Escapes of the dump format's fields. Internal to the dump reader and writer.
#pragma once

#include <string>
#include <string_view>

namespace cfs::image {

enum class DumpField {
    Plain,       ///< a path, a payload, inline content: "-" means none
    XattrName,   ///< '=' is escaped too
    XattrValue,  ///< '=' is escaped; "" and "-" stand for themselves
};

/// -1 when `c` is no hexadecimal digit.
[[nodiscard]] constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Appends `raw` as a field. "" becomes "-" and "-" becomes "\x2d" where "-" means none.
void append_escaped(std::string& out, std::string_view raw, DumpField kind);

/// Appends what `field`, a piece of a line, stands for. Throws LineError for an unknown or
/// truncated escape.
void unescape_to(std::string& out, std::string_view field);

}  // namespace cfs::image
