// SPDX-License-Identifier: Apache-2.0
/// \file Where everything of an image lies. Internal to the EROFS writer.
#pragma once

#include "image/erofs_format.hpp"
#include "image/erofs_inodes.hpp"
#include "image/erofs_xattrs.hpp"

#include <cstdint>
#include <vector>

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
    std::vector<Place> places;     ///< by index of the inode
    std::uint64_t inodes_end = 0;  ///< where the shared attributes start
    std::uint64_t size = 0;        ///< of the image
};

/// Offsets do not depend on block addresses, so one pass places the inodes and a second one hands
/// out blocks. Throws BadFormat for what the format cannot hold.
[[nodiscard]] ImageLayout lay_out(const InodeList& inodes,
                                  const XattrTable& xattrs,
                                  const Rules& rules);

/// Number of the entries, from `entries[first]` on, that fit one directory block.
[[nodiscard]] std::uint32_t entries_in_block(const std::vector<Entry>& entries,
                                             std::uint32_t first,
                                             std::uint32_t end);

}  // namespace cfs::image::erofs
