// SPDX-License-Identifier: Apache-2.0
/// \file How two versions of a file differ, for people.
#pragma once

#include <string>
#include <string_view>

namespace cfs::etc {

struct DiffSide {
    std::string name;       ///< "a/ssh/sshd_config", or "/dev/null" for nothing
    std::string_view text;  ///< all of it
};

/// A unified diff with three lines of context, as patch(1) reads it; "" for equal texts. What holds
/// a zero byte is only said to differ. Texts that have little in common show as one replaced whole.
[[nodiscard]] std::string unified_diff(const DiffSide& before, const DiffSide& after);

}  // namespace cfs::etc
