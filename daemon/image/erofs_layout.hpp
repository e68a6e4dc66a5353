// SPDX-License-Identifier: Apache-2.0
/// \file Where everything of an image lies. Internal to the EROFS writer.
#pragma once

#include "image/erofs_format.hpp"
#include "image/erofs_inodes.hpp"
#include "image/erofs_xattrs.hpp"

#include <cstdint>
#include <span>

namespace cfs::image::erofs {

struct Place {
    std::uint64_t offset = 0;       ///< of the inode, in bytes from the start of the image
    std::uint64_t size = 0;         ///< i_size
    std::uint32_t tail = 0;         ///< bytes stored right behind the inode and its attributes
    std::uint32_t blocks = 0;       ///< data blocks
    std::uint32_t first_block = 0;  ///< address of the first one, when there are blocks
    Layout layout = kFlatPlain;
    bool extended = true;

    [[nodiscard]] std::uint64_t header_size() const { return extended ? 64 : 32; }
};

struct ImageLayout {
    HugeVector<Place> places;      ///< by index of the inode
    std::uint64_t inodes_end = 0;  ///< where the shared attributes start
    std::uint64_t size = 0;        ///< of the image
};

/// Offsets do not depend on block addresses, so one pass places the inodes and a second one hands
/// out blocks. Throws BadFormat for what the format cannot hold.
class Placement {
 public:
    Placement(const InodeList& inodes, const Rules& rules);

    /// Measures the content of the next inode.
    void add(std::size_t index);

    /// Once, when all were added.
    [[nodiscard]] ImageLayout finish(const XattrTable& xattrs);

 private:
    [[nodiscard]] bool fits_compact(const Item& item, std::uint64_t size) const;
    [[nodiscard]] Place content_of(const Item& item) const;
    [[nodiscard]] Place directory_content(const Item& item) const;
    [[nodiscard]] std::uint32_t bytes_of(std::uint32_t first, std::uint32_t end) const;
    static void promote_long_tail(Place& place);
    [[nodiscard]] static Place symlink_content(const Inode& leaf);
    [[nodiscard]] Place inline_content(const Inode& leaf) const;
    [[nodiscard]] Place external_content(const Inode& leaf) const;
    static std::uint64_t put_symlink_v1(std::uint64_t pos, std::uint64_t meta, Place& place);
    static std::uint64_t put_v1(std::uint64_t pos,
                                std::uint64_t meta,
                                std::uint32_t attributes,
                                Place& place);
    static std::uint64_t put_v2(std::uint64_t pos, std::uint64_t meta, const Place& place);
    void assign_blocks(std::uint64_t shared_size);

    const InodeList& inodes_;
    const Rules& rules_;
    const bool v2_;
    ImageLayout layout_;
};

/// Number of the entries, from `entries[first]` on, that fit one directory block.
[[nodiscard]] std::uint32_t entries_in_block(std::span<const Entry> entries,
                                             std::uint32_t first,
                                             std::uint32_t end);

}  // namespace cfs::image::erofs
