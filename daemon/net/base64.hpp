// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cfs::net {

// RFC 4648 section 4, the alphabet of HTTP's Basic scheme and of credential files.

[[nodiscard]] std::string to_base64(std::string_view bytes);

/// nullopt for anything but the one right spelling: padding as needed, no blanks, no stray bits.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace cfs::net
