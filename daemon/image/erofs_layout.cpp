// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_layout.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <string>

namespace cfs::image::erofs {
namespace {

constexpr std::uint64_t kMaxTail = 2048;
constexpr std::uint64_t kMaxInlineV1 = 5000;  ///< libcomposefs' limit
constexpr std::uint64_t kMaxInlineV2 = 512;   ///< composefs-rs' reader takes no more

[[noreturn]] void too_big(std::string_view what, std::uint64_t found, std::uint64_t limit) {
    throw Error(ErrorCode::BadFormat,
                std::string(what) + " of " + std::to_string(found) +
                    " bytes does not fit the image format, expected at most " +
                    std::to_string(limit));
}

}  // namespace

Placement::Placement(const InodeList& inodes, const Rules& rules)
    : inodes_(inodes), rules_(rules), v2_(rules.v2()) {
    layout_.places.reserve(inodes.items.size());
}

void Placement::add(std::size_t index) {
    const Item& item = inodes_.items[index];
    Place place = content_of(item);
    place.extended = v2_ || !fits_compact(item, place.size);
    layout_.places.push_back(place);
}

ImageLayout Placement::finish(const XattrTable& xattrs) {
    std::uint64_t pos = kFirstInode;
    for (std::size_t i = 0; i < layout_.places.size(); ++i) {
        Place& place = layout_.places[i];
        const std::uint32_t attributes = xattrs.stored_size(i);
        const std::uint64_t meta = place.header_size() + attributes;
        const std::uint64_t start = align_up(pos, kSlot);
        if (v2_) {
            place.offset = put_v2(start, meta, place);
        } else if (inodes_.items[i].type == FileType::Symlink) {
            place.offset = put_symlink_v1(start, meta, place);
        } else {
            place.offset = put_v1(start, meta, attributes, place);
        }
        pos = place.offset + meta + place.tail;
    }
    layout_.inodes_end = align_up(pos, kSlot);
    assign_blocks(xattrs.shared_size());
    return std::move(layout_);
}

/// libcomposefs also looks at the sizes of fifos and devices, which it does not store.
bool Placement::fits_compact(const Item& item, std::uint64_t size) const {
    if (rules_.c() && item.leaf != nullptr && !item.escaped) size = item.leaf->size;
    return item.meta->mtime_sec == inodes_.min_sec && item.meta->mtime_nsec == inodes_.min_nsec &&
           item.nlink <= 0xffff && item.meta->uid <= 0xffff && item.meta->gid <= 0xffff &&
           size <= 0xffffffff;
}

Place Placement::content_of(const Item& item) const {
    if (item.directory != nullptr) return directory_content(item);
    if (item.leaf == nullptr || item.escaped) return {};
    if (item.type == FileType::Symlink) return symlink_content(*item.leaf);
    if (item.type != FileType::Regular) return {};
    return item.leaf->is_inline() ? inline_content(*item.leaf) : external_content(*item.leaf);
}

Place Placement::directory_content(const Item& item) const {
    Place place;
    const std::uint32_t end = item.first_entry + item.entry_count;
    for (std::uint32_t at = item.first_entry; at < end;) {
        const std::uint32_t count = entries_in_block(inodes_.entries, at, end);
        if (at + count == end) {
            place.tail = bytes_of(at, end);
        } else {
            ++place.blocks;
        }
        at += count;
    }
    promote_long_tail(place);
    place.size = place.blocks * kBlock + place.tail;
    place.layout = place.tail > 0 ? kFlatInline : kFlatPlain;
    return place;
}

std::uint32_t Placement::bytes_of(std::uint32_t first, std::uint32_t end) const {
    std::uint64_t sum = 0;
    for (const Entry& entry : std::span(inodes_.entries).subspan(first, end - first))
        sum += kDirent + entry.name.size();
    return static_cast<std::uint32_t>(sum);
}

void Placement::promote_long_tail(Place& place) {
    if (place.tail <= kMaxTail) return;
    ++place.blocks;
    place.tail = 0;
}

Place Placement::symlink_content(const Inode& leaf) {
    if (leaf.content.size() > kMaxSymlink) {
        too_big("a symbolic link's target", leaf.content.size(), kMaxSymlink);
    }
    Place place;
    place.size = leaf.content.size();
    place.tail = static_cast<std::uint32_t>(leaf.content.size());
    place.layout = kFlatInline;
    return place;
}

Place Placement::inline_content(const Inode& leaf) const {
    const std::uint64_t limit = v2_ ? kMaxInlineV2 : kMaxInlineV1;
    if (leaf.size > limit) too_big("inline content", leaf.size, limit);
    Place place;
    place.size = leaf.size;
    place.blocks = static_cast<std::uint32_t>(leaf.size / kBlock);
    place.tail = static_cast<std::uint32_t>(leaf.size % kBlock);
    promote_long_tail(place);
    place.layout = place.tail > 0 ? kFlatInline : kFlatPlain;
    return place;
}

Place Placement::external_content(const Inode& leaf) const {
    if (leaf.size > kMaxFileSize) too_big("a file", leaf.size, kMaxFileSize);
    Place place;
    place.size = leaf.size;
    place.layout = kChunkBased;
    if (v2_) {
        place.tail = leaf.external ? 4 : 0;
    } else {
        const std::uint64_t chunk = std::uint64_t{1} << chunk_bits(leaf.size);
        place.tail = static_cast<std::uint32_t>((leaf.size + chunk - 1) / chunk * 4);
    }
    return place;
}

std::uint64_t Placement::put_symlink_v1(std::uint64_t pos, std::uint64_t meta, Place& place) {
    if (meta + place.size >= kBlock) {
        place.blocks = 1;
        place.tail = 0;
        place.layout = kFlatPlain;
    }
    return pos % kBlock + meta + place.size > kBlock ? align_up(pos, kBlock) : pos;
}

std::uint64_t Placement::put_v1(std::uint64_t pos,
                                std::uint64_t meta,
                                std::uint32_t attributes,
                                Place& place) {
    if (place.layout == kChunkBased && place.tail + attributes % kSlot > kBlock) {
        place.blocks = 1;
        place.tail = 0;
        return align_up(pos, kBlock);
    }
    const std::uint64_t rest = (kBlock - (pos + meta) % kBlock) % kBlock;
    return rest != 0 && rest < place.tail ? pos + align_up(rest, kSlot) : pos;
}

std::uint64_t Placement::put_v2(std::uint64_t pos, std::uint64_t meta, const Place& place) {
    if (place.layout != kFlatInline) return pos;
    const std::uint64_t last = pos + meta - 1;
    const std::uint64_t end = pos + meta + place.size % kBlock;
    if (last / kBlock == end / kBlock) return pos;
    return align_up(pos + kBlock - last % kBlock, kSlot);
}

void Placement::assign_blocks(std::uint64_t shared_size) {
    const std::uint64_t shared_end = layout_.inodes_end + shared_size;
    std::uint64_t block = align_up(shared_end, kBlock) / kBlock;
    for (Place& place : layout_.places) {
        if (place.blocks == 0) continue;
        place.first_block = static_cast<std::uint32_t>(block);
        block += place.blocks;
    }
    if (block > 0xffffffff) too_big("an image", block * kBlock, 0xffffffff * kBlock);
    layout_.size = block * kBlock;
}

std::uint32_t entries_in_block(std::span<const Entry> entries,
                               std::uint32_t first,
                               std::uint32_t end) {
    std::uint64_t used = 0;
    std::uint32_t count = 0;
    for (const Entry& entry : entries.subspan(first, end - first)) {
        used += kDirent + entry.name.size();
        if (used > kBlock) break;
        ++count;
    }
    return count;
}

}  // namespace cfs::image::erofs
