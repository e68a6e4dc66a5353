// SPDX-License-Identifier: Apache-2.0
/// \file The inodes of an image in the order of their numbers. Internal to the EROFS writer.
#pragma once

#include "base/huge_pages.hpp"
#include "image/erofs_writer.hpp"
#include "image/tree.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace cfs::image::erofs {

/// What decides how a tree is written.
struct Rules {
    ErofsVersion version = ErofsVersion::V1;
    ImageDialect dialect = ImageDialect::Rust;
    HashAlgorithm algorithm = HashAlgorithm::Sha256;

    [[nodiscard]] bool v2() const { return version == ErofsVersion::V2; }

    [[nodiscard]] bool c() const { return dialect == ImageDialect::C; }
};

/// A directory entry, "." and ".." included.
struct Entry {
    std::string_view name;
    std::uint32_t inode = 0;              ///< index in InodeList::items
    FileType type = FileType::Directory;  ///< that item's
};

struct Item {
    const Metadata* meta = nullptr;
    const Directory* directory = nullptr;  ///< set for directories
    const Inode* leaf = nullptr;           ///< set for the rest, but not for stubs
    FileType type = FileType::Regular;     ///< as stored: an escaped whiteout is a regular file
    bool escaped = false;                  ///< a whiteout of the tree, to be hidden from overlayfs
    bool holds_escaped = false;            ///< a directory with such a child
    std::uint32_t nlink = 1;
    std::uint32_t first_entry = 0;  ///< of a directory: range in InodeList::entries
    std::uint32_t entry_count = 0;
};

/// Whoever walks over the items calls this for one that is a few steps ahead: what they point to
/// lies in the order of the dump or the layers, so each would be waited for.
inline void prefetch(const Item& item) {
    const char* at = reinterpret_cast<const char*>(item.leaf);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
    __builtin_prefetch(at + 128);
}

inline constexpr std::size_t kAhead = 12;

/// Points into the tree, which must outlive it unchanged.
struct InodeList {
    HugeVector<Item> items;  ///< [0] is the root
    HugeVector<Entry> entries;
    std::vector<Metadata> stub_meta;  ///< one element when there are stubs
    bool holds_escaped = false;       ///< some item is escaped
    std::int64_t min_sec = 0;         ///< the least mtime
    std::uint32_t min_nsec = 0;
};

/// V0 and V1: breadth first, whiteout stubs added to the root; V2: depth first, as it is.
/// Throws BadFormat for a hard-linked whiteout of the Rust dialect.
[[nodiscard]] InodeList number_inodes(const FileTree& tree, const Rules& rules);

}  // namespace cfs::image::erofs
