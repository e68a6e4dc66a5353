// SPDX-License-Identifier: Apache-2.0
/// \file The fixed part of a splitstream file (see splitstream.hpp for the layout).
#pragma once

#include "base/bytes.hpp"
#include "crypto/digest.hpp"

#include <cstdint>

namespace cfs::store {

/// Byte offsets in the file, end exclusive.
struct FileRange {
    std::uint64_t start = 0;
    std::uint64_t end = 0;

    [[nodiscard]] std::uint64_t size() const { return end - start; }
};

inline constexpr std::size_t kHeaderSize = 32;
inline constexpr std::size_t kInfoSize = 80;
inline constexpr std::size_t kHeadSize = kHeaderSize + kInfoSize;

struct SplitstreamHead {
    HashAlgorithm algorithm = HashAlgorithm::Sha512;
    FileRange stream_refs;
    FileRange object_refs;
    FileRange stream;
    FileRange named_refs;
    std::uint64_t content_type = 0;
    std::uint64_t total_size = 0;
};

/// Header and info section, 112 bytes.
[[nodiscard]] Bytes encode_head(const SplitstreamHead& head);

/// Where the info section lies, from either header. BadFormat when it is none, of another version,
/// or made for another algorithm than `algorithm`.
/// \pre header.size() == kHeaderSize
[[nodiscard]] FileRange find_info(ByteView header, HashAlgorithm algorithm);

/// \pre info.size() == kInfoSize
/// \param file_size every range lies within it, or BadFormat
[[nodiscard]] SplitstreamHead decode_info(ByteView info, std::uint64_t file_size);

}  // namespace cfs::store
