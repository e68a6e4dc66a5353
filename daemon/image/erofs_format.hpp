// SPDX-License-Identifier: Apache-2.0
/// \file Numbers of the on-disk format (Linux fs/erofs/erofs_fs.h; composefs header and overlay
/// attribute names). Internal to this component.
#pragma once

#include "image/erofs_writer.hpp"
#include "image/tree.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace cfs::image::erofs {

inline constexpr std::uint32_t kComposefsMagic = 0xd078629a;
inline constexpr std::uint32_t kComposefsHeaderVersion = 1;
inline constexpr std::uint32_t kFlagHasAcl = 1;
inline constexpr std::uint32_t kErofsMagic = 0xE0F5E1E2;
inline constexpr std::uint32_t kFeatureCompat = 6;  ///< MTIME and XATTR_FILTER
inline constexpr std::uint32_t kFeatureChunkedFile = 4;

inline constexpr std::uint64_t kSuperblock = 1024;
inline constexpr std::uint64_t kSuperblockSize = 128;
inline constexpr std::uint64_t kFirstInode = kSuperblock + kSuperblockSize;
inline constexpr std::uint64_t kBlock = 4096;
inline constexpr std::uint64_t kSlot = 32;
inline constexpr std::uint64_t kXattrHeader = 12;
inline constexpr std::uint64_t kDirent = 12;
inline constexpr std::uint32_t kNullChunk = 0xffffffff;
inline constexpr std::uint64_t kMaxFileSize = std::uint64_t{1} << 53;

enum Layout : std::uint8_t { kFlatPlain = 0, kFlatInline = 2, kChunkBased = 4 };

struct Prefix {
    std::uint8_t index;
    std::string_view text;
};

/// In the order of matching: the last index first.
inline constexpr std::array<Prefix, 7> kPrefixes = {{{6, "security."},
                                                     {5, "lustre."},
                                                     {4, "trusted."},
                                                     {3, "system.posix_acl_default"},
                                                     {2, "system.posix_acl_access"},
                                                     {1, "user."},
                                                     {0, ""}}};
inline constexpr std::uint8_t kPrefixLustre = 5;

inline constexpr std::uint32_t kFilterSeed = 0x25BBE08F;

inline constexpr std::string_view kOverlayPrefix = "trusted.overlay.";
inline constexpr std::string_view kEscapedPrefix = "trusted.overlay.overlay.";
inline constexpr std::string_view kMetacopy = "trusted.overlay.metacopy";
inline constexpr std::string_view kRedirect = "trusted.overlay.redirect";
inline constexpr std::string_view kOpaque = "trusted.overlay.opaque";
inline constexpr std::string_view kWhiteoutMark = "trusted.overlay.overlay.whiteout";
inline constexpr std::string_view kUserWhiteoutMark = "user.overlay.whiteout";
inline constexpr std::string_view kWhiteoutsMark = "trusted.overlay.overlay.whiteouts";
inline constexpr std::string_view kUserWhiteoutsMark = "user.overlay.whiteouts";
inline constexpr std::string_view kOpaqueMark = "trusted.overlay.overlay.opaque";
inline constexpr std::string_view kUserOpaqueMark = "user.overlay.opaque";
inline constexpr std::string_view kSelinux = "security.selinux";

[[nodiscard]] constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t unit) {
    return (value + unit - 1) / unit * unit;
}

/// Type byte of a directory entry.
[[nodiscard]] constexpr std::uint8_t dirent_type(FileType type) {
    switch (type) {
        case FileType::Regular:
            return 1;
        case FileType::Directory:
            return 2;
        case FileType::CharDevice:
            return 3;
        case FileType::BlockDevice:
            return 4;
        case FileType::Fifo:
            return 5;
        case FileType::Socket:
            return 6;
        case FileType::Symlink:
            return 7;
    }
    return 0;
}

/// log2 of the chunk size that covers `size` bytes with one chunk, within the format's limits.
[[nodiscard]] constexpr std::uint32_t chunk_bits(std::uint64_t size) {
    std::uint32_t bits = 12;
    while (bits < 43 && size > std::uint64_t{1} << bits)
        ++bits;
    return bits;
}

/// Is `name` one of the 256 names "00" to "ff" that the object directories have?
[[nodiscard]] constexpr bool is_stub_name(std::string_view name) {
    const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return name.size() == 2 && hex(name[0]) && hex(name[1]);
}

/// Would a device of this metadata, below a root of that one, be a whiteout stub of V0 and V1?
[[nodiscard]] bool is_stub(const Metadata& root, std::string_view name, const Inode& inode);

/// What the stubs look like below this root.
[[nodiscard]] Metadata stub_metadata(const Metadata& root);

}  // namespace cfs::image::erofs
