// SPDX-License-Identifier: Apache-2.0
/// \file Parses the composefs dump format. Hostile input: sizes and nesting are bounded.
#pragma once

#include "base/bytes.hpp"
#include "image/tree.hpp"

namespace cfs::image {

/// Whose reading of the format is followed where the two known ones differ.
enum class DumpDialect {
    Rust,  ///< composefs-rs 0.9.0: strict, NLINK ignored, DIGEST decides where the object lies
};

/// `algorithm` is that of the DIGEST fields. BadFormat with the line number and the path.
[[nodiscard]] FileTree read_dump(ByteView text, DumpDialect dialect, HashAlgorithm algorithm);

}  // namespace cfs::image
