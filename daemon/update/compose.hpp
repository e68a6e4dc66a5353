// SPDX-License-Identifier: Apache-2.0
/// \file From stored layers to the image: merge, transform, write, compare.
#pragma once

#include "image/erofs_writer.hpp"
#include "image/transform.hpp"
#include "image/tree.hpp"
#include "store/repository.hpp"
#include "uki/cmdline.hpp"
#include "update/layer_import.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::update {

/// Merges layers that are in the store, lowest first.
[[nodiscard]] image::FileTree merge_layers(const store::Repository& store,
                                           const std::vector<Digest>& streams,
                                           const LayerLimits& limits,
                                           const std::stop_token& stop);

/// One way to make an image from a merged tree.
struct Recipe {
    image::XattrMode xattrs = image::XattrMode::AllowlistOnly;
    image::BootMtime mtime = image::BootMtime::Full;
};

/// "allowlist-only, boot mtime full"
[[nodiscard]] std::string to_string(const Recipe& recipe);

struct Composed {
    Bytes erofs;
    Digest digest;
    Recipe recipe;
    image::FileTree tree;  ///< after the transforms
};

[[nodiscard]] image::ErofsVersion erofs_version(uki::ErofsFormat format);

/// Unsupported for an EROFS image that could be installed and never collected.
void require_image_size(std::uint64_t bytes);

/// The tree of the deployment that runs; nullopt without one.
using PreviousTree = std::function<std::optional<image::FileTree>()>;

/// The tree that the layers make. Asked once more for each recipe that did not fit: nearly always
/// the first one does, and a copy would lie in memory for nothing.
using MergedTree = std::function<image::FileTree()>;

/// Tries every recipe that a builder of this format can have used until the digest is the wanted
/// one; nothing in an image says which it was. DigestMismatch names the recipes tried and their
/// digests; its details show how the tree differs from what `previous` gives, which is asked then
/// only.
[[nodiscard]] Composed compose_matching(const MergedTree& merged,
                                        const uki::ComposefsArg& wanted,
                                        const image::ReadContent& read,
                                        const PreviousTree& previous,
                                        const std::stop_token& stop);

/// Reads files of the store, for SELinux policies.
[[nodiscard]] image::ReadContent store_reader(const store::Repository& store);

/// Every object that the image names is in the store and sound; on all cores. StateCorrupt names
/// one that is not, and a path that has it.
void measure_objects(const store::Repository& store, ByteView erofs, const std::stop_token& stop);

/// The bytes of an image in the store.
[[nodiscard]] Bytes load_image(const store::Repository& store, const Digest& image);

/// The tree of an image in the store; nullopt when it cannot be read (for previews and messages
/// only).
[[nodiscard]] std::optional<image::FileTree> find_tree(const store::Repository& store,
                                                       const Digest& image);

/// Throws where find_tree gives nullopt.
[[nodiscard]] image::FileTree load_tree(const store::Repository& store, const Digest& image);

}  // namespace cfs::update
