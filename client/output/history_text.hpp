// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/model.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace cfs::client {

/// A table, a line per entry, newest first; behind it why what failed did. Lines of at most `width`
/// columns, as far as words allow.
[[nodiscard]] std::string history_text(const std::vector<HistoryEntry>& entries,
                                       std::size_t width,
                                       bool color);

}  // namespace cfs::client
