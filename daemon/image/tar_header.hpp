// SPDX-License-Identifier: Apache-2.0
/// \file The pieces of a tar entry: header block, PAX records, paths. Internal to the tar reader.
/// Formats: POSIX.1-2017 pax "ustar Interchange Format" and "pax Header Block", GNU tar manual
/// "Basic Tar Format". Every function throws BadFormat that says what was expected and found.
#pragma once

#include "base/bytes.hpp"
#include "image/tree.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::image {

inline constexpr std::size_t kTarBlock = 512;

struct TarHeader {
    std::string name;
    std::string link;
    char type = '0';
    std::uint64_t mode = 0;
    std::uint64_t uid = 0;
    std::uint64_t gid = 0;
    std::uint64_t size = 0;
    std::uint64_t mtime = 0;
    std::uint32_t rdev = 0;
};

[[nodiscard]] bool is_zero_block(ByteView block);

/// \pre block.size() == kTarBlock
[[nodiscard]] TarHeader parse_tar_header(ByteView block);

/// What a PAX extended header says about the next entry.
struct PaxRecords {
    std::optional<std::string> path;
    std::optional<std::string> link;
    std::optional<std::uint64_t> size;
    std::optional<std::uint64_t> uid;
    std::optional<std::uint64_t> gid;
    std::optional<std::uint64_t> mtime;
    std::optional<std::uint32_t> mtime_nsec;  ///< of the first mtime record
    Xattrs xattrs;
};

[[nodiscard]] PaxRecords parse_pax(std::string_view records);

/// Without leading and trailing '/', empty and "." components; "" is the root. Refuses "..", NUL,
/// and what is longer than Linux can name.
[[nodiscard]] std::string normalise_path(std::string_view raw);

}  // namespace cfs::image
