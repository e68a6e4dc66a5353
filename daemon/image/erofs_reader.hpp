// SPDX-License-Identifier: Apache-2.0
/// \file Reads composefs EROFS images (V0, V1, V2) of any origin. Hostile input: every offset is
/// checked, work and memory are bounded by a small multiple of the image's size, and what the
/// writers never produce is refused with BadFormat.
#pragma once

#include "base/bytes.hpp"
#include "crypto/digest.hpp"
#include "image/erofs_writer.hpp"
#include "image/tree.hpp"

#include <optional>
#include <vector>

namespace cfs::image {

/// Which writer's rules the image follows, by its header; BadFormat when it is no composefs image.
[[nodiscard]] ErofsVersion erofs_version(ByteView image);

/// The tree that write_erofs() was given: whiteout stubs, escapes and overlay attributes undone.
/// V2 images hold no nanoseconds. Writing the tree again gives the same image. The C dialect takes
/// what composefs-rs' reader refuses (stated link counts, objects named other than by digest);
/// there, writing again gives the same image but for the cases of `mkcomposefs` itself.
/// `algorithm`: the store's; a file whose digest is of another is refused.
[[nodiscard]] FileTree read_erofs(ByteView image,
                                  ImageDialect dialect = ImageDialect::Rust,
                                  std::optional<HashAlgorithm> algorithm = std::nullopt);

/// The objects that the image's files are made of, sorted, each once: what a garbage collector
/// must keep. Cheaper than read_erofs().
[[nodiscard]] std::vector<Digest> erofs_objects(ByteView image);

}  // namespace cfs::image
