// SPDX-License-Identifier: Apache-2.0
/// \file Merging the entries of an image's layers into one tree.
#pragma once

#include "image/tar_reader.hpp"
#include "image/tree.hpp"

#include <cstddef>
#include <string_view>

namespace cfs::image {

/// Applies layers bottom up, each one's entries in archive order. Rules as composefs-rs':
///  - an entry's parent must already be a directory of the merged tree (no implicit directories,
///    no symbolic links on the way);
///  - a directory over a directory keeps the children and takes the new metadata; anything else
///    replaces what was there, subtree included;
///  - ".wh.NAME" removes NAME, ".wh..wh..opq" empties its directory as it is at that moment;
///  - a hard link shares the leaf that its target names now, also one of a lower layer.
/// Throws BadFormat naming layer and path. One thread.
class LayerMerger {
 public:
    void apply(TarEntry entry);

    /// Call between two layers; numbers them for messages.
    void next_layer() { ++layer_; }

    /// The merged tree; the merger is empty afterwards.
    [[nodiscard]] FileTree take();

 private:
    void apply_entry(TarEntry& entry);
    void apply_root(TarEntry& entry);
    void apply_whiteout(Directory& parent, std::string_view name);
    void put_directory(Directory& parent, std::string_view name, TarEntry& entry);
    void put_hard_link(Directory& parent, std::string_view name, const TarEntry& entry);
    [[nodiscard]] Directory& parent_of(std::string_view path);

    FileTree tree_;
    std::size_t layer_ = 1;
};

}  // namespace cfs::image
