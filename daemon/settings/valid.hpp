// SPDX-License-Identifier: Apache-2.0
/// \file What a value may be, where its type does not say so. Pure. Private to the component.
#pragma once

#include <cstdint>
#include <string_view>

namespace cfs::settings {

/// No control characters.
[[nodiscard]] bool is_plain(std::string_view text);
[[nodiscard]] bool is_absolute_path(std::string_view text);
[[nodiscard]] bool is_path_or_empty(std::string_view text);
[[nodiscard]] bool is_path_or_auto(std::string_view text);

/// A proxy's URL, "direct" or "".
[[nodiscard]] bool is_proxy(std::string_view text);

/// Bytes per second, or 0.
[[nodiscard]] bool is_rate(std::uint64_t rate);

/// "both ssh/sshd_config": a word, and a path below /etc with or without "/etc/" before it.
[[nodiscard]] bool is_etc_rule(std::string_view text);

}  // namespace cfs::settings
