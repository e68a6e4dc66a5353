// SPDX-License-Identifier: Apache-2.0
/// \file What `cfsctl image` prints for people. Paths and values are escaped as in dumps, so that
/// no name can play a trick on a terminal.
#pragma once

#include "client/image/summary.hpp"
#include "client/image/tree_diff.hpp"

#include <string>
#include <vector>

namespace cfs::client {

/// One line of a listing.
struct ListEntry {
    std::string path;  ///< raw bytes, absolute
    const image::Metadata* meta = nullptr;
    image::FileType type = image::FileType::Directory;
    const image::Inode* leaf = nullptr;  ///< nullptr for a directory
};

/// Mode, owner, size, time (UTC), object if asked for, path and a link's target.
[[nodiscard]] std::string list_text(const std::vector<ListEntry>& entries, bool digests);

[[nodiscard]] std::string summary_text(const ImageSummary& summary);

/// "" for no changes.
[[nodiscard]] std::string changes_text(const std::vector<PathChange>& changes);

/// "v1".
[[nodiscard]] std::string format_name(image::ErofsVersion version);

}  // namespace cfs::client
