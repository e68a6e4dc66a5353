// SPDX-License-Identifier: Apache-2.0
/// \file Writes a tree as a composefs EROFS image, byte for byte as composefs-rs 0.9.0 does.
/// Format: Linux fs/erofs/erofs_fs.h and the composefs conventions on top of it.
#pragma once

#include "base/bytes.hpp"
#include "crypto/digest.hpp"
#include "image/tree.hpp"

namespace cfs::image {

/// V0 and V1 are what libcomposefs writes (V1 adds opaque markers beside whiteouts); V2 is
/// composefs-rs' first own format.
enum class ErofsVersion { V0, V1, V2 };

/// The whole image in one buffer, a multiple of 4096 bytes. `algorithm` is the store's: every
/// external file's digest must be of it (InvalidArgs otherwise). BadFormat when the tree holds
/// what the format cannot: a file above 2^53 bytes, a hard-linked whiteout, a link target or
/// inline content that is too long, more than 255 shared attributes on one inode.
[[nodiscard]] Bytes write_erofs(const FileTree& tree,
                                ErofsVersion version,
                                HashAlgorithm algorithm);

}  // namespace cfs::image
