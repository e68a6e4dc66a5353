// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace cfs::boot {

/// Orders version strings the way boot loaders do: negative, 0 or positive as `a` is older than,
/// equal to or newer than `b`. Rules: UAPI.10 (version format), as `systemd-analyze
/// compare-versions` applies them: characters outside [A-Za-z0-9-.~^] only separate; then the first
/// difference decides, from lowest to highest: `~`, the end, `-`, `^`, `.`, letters (capitals
/// first), numbers. Any bytes are accepted. Equal does not mean identical ("1_" equals "1").
[[nodiscard]] int compare_versions(std::string_view a, std::string_view b);

}  // namespace cfs::boot
