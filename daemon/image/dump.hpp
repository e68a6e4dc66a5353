// SPDX-License-Identifier: Apache-2.0
/// \file The composefs dump format (one line of text per name) and the comparison of trees.
#pragma once

#include "base/bytes.hpp"
#include "image/tree.hpp"

#include <string>

namespace cfs::image {

/// Canonical text as composefs-rs writes it: depth first, names in byte order, LF after each line.
void write_dump(const FileTree& tree, Sink& sink);

/// How `found` differs from `expected`, for a person: one line per path, what says most first
/// (content, then missing and added paths, then owner and mode, then attributes, then times), and
/// a last line that counts what was left out. At most `max_lines` + 1 lines; "" when they are
/// equal.
[[nodiscard]] std::string diff_trees(const FileTree& expected,
                                     const FileTree& found,
                                     std::size_t max_lines);

}  // namespace cfs::image
