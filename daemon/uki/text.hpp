// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace cfs::uki {

/// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

/// `text` without the blanks (space, tab) at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

}  // namespace cfs::uki
