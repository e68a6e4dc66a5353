// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

namespace cfs::image {

/// The 32-bit xxHash (specification: github.com/Cyan4973/xxHash, doc/xxhash_spec.md). EROFS uses it
/// for the name filter of extended attributes.
[[nodiscard]] std::uint32_t xxh32(ByteView data, std::uint32_t seed);

}  // namespace cfs::image
