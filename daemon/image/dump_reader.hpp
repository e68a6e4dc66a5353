// SPDX-License-Identifier: Apache-2.0
/// \file Parses the composefs dump format. Hostile input: sizes and nesting are bounded.
#pragma once

#include "base/bytes.hpp"
#include "image/tree.hpp"

namespace cfs::image {

/// Whose reading of the format is followed where the known ones differ.
enum class DumpDialect {
    Rust,     ///< composefs-rs 0.9.0: strict, NLINK ignored, DIGEST decides where the object lies
    C,        ///< mkcomposefs 1.0.8: lenient spellings, NLINK and PAYLOAD are taken as they are
    CStrict,  ///< the same with its environment variable CFS_PARSE_STRICT set
};

/// `algorithm` is that of the DIGEST fields. BadFormat with line, column, path and reason.
[[nodiscard]] FileTree read_dump(ByteView text, DumpDialect dialect, HashAlgorithm algorithm);

/// The same in bounded memory: only lines that are being read and the tree are kept. A second
/// thread may read `text` before this returns.
[[nodiscard]] FileTree read_dump(Source& text, DumpDialect dialect, HashAlgorithm algorithm);

}  // namespace cfs::image
