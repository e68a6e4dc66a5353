// SPDX-License-Identifier: Apache-2.0
/// \file Which paths of two trees differ, and in which fields: what a comparison of their dumps
/// says, without the fields that follow from other lines (a directory's link count).
#pragma once

#include "image/tree.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cfs::client {

enum class Change { Added, Removed, Changed };

struct FieldChange {
    std::string name;                       ///< "mode", "size", "digest", "xattr.user.x", ...
    std::optional<std::string> one, other;  ///< escaped; nullopt: not there
};

struct PathChange {
    Change change = Change::Changed;
    std::string path;  ///< raw bytes
    image::FileType type =
        image::FileType::Regular;     ///< of the second tree; the first's if removed
    std::uint64_t size = 0;           ///< of the same
    std::vector<FieldChange> fields;  ///< of Changed alone
};

/// In the dumps' order: depth first, names in byte order. What is below a directory that only one
/// tree has, is listed path by path.
/// \param all also directories of which nothing but the time differs, if names in them were added
///        or removed
[[nodiscard]] std::vector<PathChange> compare_trees(const image::FileTree& one,
                                                    const image::FileTree& other,
                                                    bool all = false);

/// A path or value for output, as in dumps: \\ \n \r \t, and \xHH for everything else but
/// printable ASCII. "" stays "".
[[nodiscard]] std::string escaped(std::string_view raw);

/// "0755".
[[nodiscard]] std::string octal_mode(std::uint32_t mode);

}  // namespace cfs::client
