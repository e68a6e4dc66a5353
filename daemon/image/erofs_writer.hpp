// SPDX-License-Identifier: Apache-2.0
/// \file Writes a tree as a composefs EROFS image, byte for byte as the known programs do.
/// Format: Linux fs/erofs/erofs_fs.h and the composefs conventions on top of it.
#pragma once

#include "base/bytes.hpp"
#include "crypto/digest.hpp"
#include "image/tree.hpp"

namespace cfs::image {

/// V0 and V1 are what libcomposefs writes (V1 adds opaque markers beside whiteouts); V2 is
/// composefs-rs' first own format.
enum class ErofsVersion { V0, V1, V2 };

/// Whose rules are followed where the two known programs differ.
enum class ImageDialect {
    Rust,  ///< composefs-rs 0.9.0: the one that sealed images are made with
    C,     ///< libcomposefs 1.0.8 and its mkcomposefs
};

struct ErofsOptions {
    ImageDialect dialect = ImageDialect::Rust;
    HashAlgorithm algorithm = HashAlgorithm::Sha256;  ///< of the store and of the image's digest
    ErofsVersion min_version = ErofsVersion::V1;      ///< what is written,
    /// but the C dialect writes V1 instead of V0 for a tree with whiteouts if this allows it.
    ErofsVersion max_version = ErofsVersion::V1;
};

/// What was written.
struct ErofsImage {
    ErofsVersion version = ErofsVersion::V1;
    std::uint64_t size = 0;  ///< a multiple of 4096
    Digest digest;           ///< fs-verity, by the algorithm of the options
};

/// Hands the image to `sink` piece by piece, so that it never lies in memory as a whole; a second
/// thread hashes. Every external file's digest must be of the options' algorithm (InvalidArgs
/// otherwise; also for the C dialect with V2). BadFormat, before the first byte is written, when
/// the tree holds what the format cannot: a file above 2^53 bytes, a link target or inline content
/// that is too long, too many attributes; the Rust dialect refuses hard-linked whiteouts too.
ErofsImage write_erofs(const FileTree& tree, const ErofsOptions& options, Sink& sink);

/// The same without the image.
[[nodiscard]] ErofsImage measure_erofs(const FileTree& tree, const ErofsOptions& options);

/// An image in memory.
struct ErofsBuffer {
    Bytes bytes;
    Digest digest;  ///< fs-verity
};

/// The whole image of the Rust dialect in one buffer, which is no larger than the image at any
/// time.
[[nodiscard]] ErofsBuffer write_erofs_buffer(const FileTree& tree,
                                             ErofsVersion version,
                                             HashAlgorithm algorithm);
/// Only its bytes.
[[nodiscard]] Bytes write_erofs(const FileTree& tree,
                                ErofsVersion version,
                                HashAlgorithm algorithm);

}  // namespace cfs::image
