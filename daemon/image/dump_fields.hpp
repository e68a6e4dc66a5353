// SPDX-License-Identifier: Apache-2.0
/// \file Escapes of the dump format's fields. Internal to the dump reader and writer.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace cfs::image {

enum class DumpField {
    Plain,       ///< a path, a payload, inline content: "-" means none
    XattrName,   ///< '=' is escaped too
    XattrValue,  ///< '=' is escaped; "" and "-" stand for themselves
};

/// Values of hexadecimal digits by their byte, -1 for others. A table: digests are what most of a
/// dump consists of.
inline constexpr auto kHexValues = [] {
    std::array<std::int8_t, 256> values{};
    for (int i = 0; i < 256; ++i) {
        const auto in = [i](char first, char last) { return i >= first && i <= last; };
        const int value = in('0', '9')   ? i - '0'
                          : in('a', 'f') ? i - 'a' + 10
                          : in('A', 'F') ? i - 'A' + 10
                                         : -1;
        values[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(value);
    }
    return values;
}();

[[nodiscard]] constexpr int hex_value(char c) {
    return kHexValues[static_cast<unsigned char>(c)];
}

/// Appends `raw` as a field. "" becomes "-" and "-" becomes "\x2d" where "-" means none.
void append_escaped(std::string& out, std::string_view raw, DumpField kind);

/// Appends what `field`, a piece of a line, stands for. Throws LineError for an unknown or
/// truncated escape.
void unescape_to(std::string& out, std::string_view field);

}  // namespace cfs::image
