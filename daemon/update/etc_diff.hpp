// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "etc/merge.hpp"

#include <stop_token>
#include <string>

namespace cfs::update {

/// Unified diffs of the files among `changes`, from one tree to the other (directory descriptors).
/// Links count as their targets; directories, special files and what is larger than 256 KiB are
/// left out, and what exceeds a mebibyte in all is cut off with a line that says so.
[[nodiscard]] std::string diff_trees(const std::vector<etc::Change>& changes,
                                     int before,
                                     int after,
                                     const std::stop_token& stop);

}  // namespace cfs::update
