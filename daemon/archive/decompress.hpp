// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace cfs::archive {

enum class Compression { None, Gzip, Zstd };

/// "none", "gzip", "zstd".
[[nodiscard]] std::string_view to_string(Compression compression);

/// OCI and Docker layer types. Unsupported, with the reason, for encrypted, foreign
/// (non-distributable) and unknown ones.
[[nodiscard]] Compression compression_from_media_type(std::string_view media_type);

/// By magic number; nullopt when it is neither gzip nor zstd. For messages, never for decisions: a
/// layer is what its media type says.
[[nodiscard]] std::optional<Compression> sniff_compression(ByteView start);

/// A stream of what `input` unpacks to. `input` must outlive it. One thread.
///
/// Reads several gzip members (RFC 1952, CRC and length checked) or zstd frames (RFC 8878, checksum
/// checked if there, window at most 128 MiB) one after the other. Throws BadFormat when the input
/// ends early, has anything after its end, is of another kind, or unpacks to more than `max_output`
/// bytes. Memory does not grow with the input.
[[nodiscard]] std::unique_ptr<Source> decompress(Source& input,
                                                 Compression compression,
                                                 std::uint64_t max_output);

}  // namespace cfs::archive
