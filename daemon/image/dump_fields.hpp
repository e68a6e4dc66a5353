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

/// Appends `raw` as a field. "" becomes "-" and "-" becomes "\x2d" where "-" means none.
void append_escaped(std::string& out, std::string_view raw, DumpField kind);

/// Throws BadFormat for an unknown or truncated escape.
[[nodiscard]] std::string unescape(std::string_view field);

}  // namespace cfs::image
