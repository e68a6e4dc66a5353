// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_writer.hpp"

#include "crypto/fsverity.hpp"
#include "image/erofs_layout.hpp"

#include <algorithm>
#include <array>

namespace cfs::image {
namespace {

using namespace erofs;

using Target = std::span<std::uint8_t>;

void copy_to(Target target, std::uint64_t offset, std::string_view text) {
    std::copy(text.begin(), text.end(), target.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// The second pass: everything is placed, this fills one buffer of the final size.
class Emitter {
 public:
    Emitter(const InodeList& inodes,
            const XattrTable& xattrs,
            const ImageLayout& layout,
            ErofsVersion version)
        : inodes_(inodes), xattrs_(xattrs), layout_(layout), version_(version) {}

    Bytes run() {
        image_.resize(layout_.size);
        put_header();
        put_superblock();
        for (std::uint32_t i = 0; i < inodes_.items.size(); ++i)
            put_inode(i);
        for (const std::uint32_t id : xattrs_.shared()) {
            const Xattr& xattr = xattrs_.xattr(id);
            put_entry(xattr, layout_.inodes_end + xattr.offset);
        }
        return std::move(image_);
    }

 private:
    [[nodiscard]] bool v2() const { return version_ == ErofsVersion::V2; }

    void put_header() {
        store_le(Target(image_), 0, kComposefsMagic);
        store_le(Target(image_), 4, kComposefsHeaderVersion);
        store_le(Target(image_), 8, !v2() && xattrs_.has_acl() ? kFlagHasAcl : 0u);
        store_le(Target(image_), 12, static_cast<std::uint32_t>(version_));
    }

    void put_superblock() {
        const Target block = Target(image_).subspan(kSuperblock, kSuperblockSize);
        store_le(block, 0, kErofsMagic);
        store_le(block, 8, kFeatureCompat);
        block[12] = 12;
        store_le(block, 14, static_cast<std::uint16_t>(nid(0)));
        store_le(block, 16, std::uint64_t{inodes_.items.size()});
        store_le(block, 36, static_cast<std::uint32_t>(layout_.size / kBlock));
        if (v2()) return;
        store_le(block, 24, static_cast<std::uint64_t>(layout_.min_sec));
        store_le(block, 32, layout_.min_nsec);
        store_le(block, 44, static_cast<std::uint32_t>(layout_.inodes_end / kBlock));
    }

    [[nodiscard]] std::uint64_t nid(std::uint32_t inode) const {
        return layout_.places[inode].offset / kSlot;
    }

    void put_inode(std::uint32_t index) {
        const Item& item = inodes_.items[index];
        const Place& place = layout_.places[index];
        const Target at = Target(image_).subspan(place.offset, place.header_size());
        const auto xattr_size = xattrs_.of(index).stored_size;
        const auto icount = xattr_size == 0 ? 0 : 1 + (xattr_size - kXattrHeader) / 4;
        store_le(at, 0, static_cast<std::uint16_t>(place.layout << 1 | (place.extended ? 1 : 0)));
        store_le(at, 2, static_cast<std::uint16_t>(icount));
        store_le(at, 4, static_cast<std::uint16_t>(mode_bits(item.type) | item.meta->mode));
        const auto number = v2() ? static_cast<std::uint32_t>(nid(index)) : index;
        if (place.extended) {
            put_extended(at, item, place, number);
        } else {
            put_compact(at, item, place, number);
        }
        if (xattr_size != 0) put_xattrs(index, place.offset + place.header_size());
        put_content(item, place, place.offset + place.header_size() + xattr_size);
    }

    void put_compact(Target at, const Item& item, const Place& place, std::uint32_t number) const {
        store_le(at, 6, static_cast<std::uint16_t>(item.nlink));
        store_le(at, 8, static_cast<std::uint32_t>(place.size));
        store_le(at, 16, union_field(item, place));
        store_le(at, 20, number);
        store_le(at, 24, static_cast<std::uint16_t>(item.meta->uid));
        store_le(at, 26, static_cast<std::uint16_t>(item.meta->gid));
    }

    void put_extended(Target at, const Item& item, const Place& place, std::uint32_t number) const {
        store_le(at, 8, place.size);
        store_le(at, 16, union_field(item, place));
        store_le(at, 20, number);
        store_le(at, 24, item.meta->uid);
        store_le(at, 28, item.meta->gid);
        store_le(at, 32, static_cast<std::uint64_t>(item.meta->mtime_sec));
        store_le(at, 40, v2() ? 0u : item.meta->mtime_nsec);
        store_le(at, 44, item.nlink);
    }

    /// i_u: block address, device number or chunk format.
    [[nodiscard]] std::uint32_t union_field(const Item& item, const Place& place) const {
        if (place.layout == kChunkBased) {
            if (v2()) return 31;
            return (chunk_bits(place.size) - 12) | (place.first_block & 0xffff0000);
        }
        if (item.type == FileType::CharDevice || item.type == FileType::BlockDevice) {
            return item.leaf == nullptr ? 0 : item.leaf->rdev;
        }
        return place.first_block;
    }

    void put_xattrs(std::uint32_t index, std::uint64_t offset) {
        const XattrList& list = xattrs_.of(index);
        std::uint32_t filter = 0;
        std::uint8_t shared = 0;
        std::uint64_t at = offset + kXattrHeader;
        const std::uint64_t base = v2() ? layout_.inodes_end : layout_.inodes_end % kBlock;
        for (std::uint32_t i = 0; i < list.count; ++i) {
            const Xattr& xattr = xattrs_.at(list.first + i);
            filter |= xattr.filter_bit;
            if (!xattr.shared()) continue;
            store_le(Target(image_), at, static_cast<std::uint32_t>((base + xattr.offset) / 4));
            at += 4;
            ++shared;
        }
        for (std::uint32_t i = 0; i < list.count; ++i) {
            const Xattr& xattr = xattrs_.at(list.first + i);
            if (xattr.shared()) continue;
            put_entry(xattr, at);
            at += xattr.stored_size();
        }
        store_le(Target(image_), offset, ~filter);
        image_[offset + 4] = shared;
    }

    void put_entry(const Xattr& xattr, std::uint64_t at) {
        const std::string_view suffix = xattr.suffix();
        image_[at] = static_cast<std::uint8_t>(suffix.size());
        image_[at + 1] = xattr.index;
        store_le(Target(image_), at + 2, static_cast<std::uint16_t>(xattr.value.size()));
        copy_to(image_, at + 4, suffix);
        copy_to(image_, at + 4 + suffix.size(), xattr.value);
    }

    void put_content(const Item& item, const Place& place, std::uint64_t tail) {
        const std::uint64_t blocks = place.first_block * kBlock;
        if (item.directory != nullptr) {
            put_entries(item, place, tail);
        } else if (place.layout == kChunkBased) {
            const std::uint64_t at = place.blocks > 0 ? blocks : tail;
            const std::uint64_t size = place.blocks > 0 ? kBlock : place.tail;
            std::fill_n(image_.begin() + static_cast<std::ptrdiff_t>(at), size, std::uint8_t{0xff});
        } else if (place.size > 0) {
            const std::string_view content = item.leaf->content;
            const std::size_t in_blocks = content.size() - place.tail;
            copy_to(image_, blocks, content.substr(0, in_blocks));
            copy_to(image_, tail, content.substr(in_blocks));
        }
    }

    void put_entries(const Item& item, const Place& place, std::uint64_t tail) {
        std::uint32_t first = item.first_entry;
        const std::uint32_t end = item.first_entry + item.entry_count;
        std::uint64_t block = place.first_block * kBlock;
        for (std::uint32_t left = place.blocks; left > 0; --left, block += kBlock) {
            const std::uint32_t count = entries_in_block(inodes_.entries, first, end);
            put_group(first, first + count, block);
            first += count;
        }
        put_group(first, end, tail);
    }

    void put_group(std::uint32_t first, std::uint32_t end, std::uint64_t offset) {
        std::uint64_t names = kDirent * (end - first);
        for (std::uint32_t i = first; i < end; ++i) {
            const Entry& entry = inodes_.entries[i];
            const Target at = Target(image_).subspan(offset + kDirent * (i - first), kDirent);
            store_le(at, 0, nid(entry.inode));
            store_le(at, 8, static_cast<std::uint16_t>(names));
            at[10] = dirent_type(inodes_.items[entry.inode].type);
            copy_to(image_, offset + names, entry.name);
            names += entry.name.size();
        }
    }

    const InodeList& inodes_;
    const XattrTable& xattrs_;
    const ImageLayout& layout_;
    const ErofsVersion version_;
    Bytes image_;
};

}  // namespace

Bytes write_erofs(const FileTree& tree, ErofsVersion version, HashAlgorithm algorithm) {
    const InodeList inodes = number_inodes(tree, version);
    const XattrTable xattrs(inodes, version, algorithm);
    const ImageLayout layout = lay_out(inodes, xattrs, version);
    return Emitter(inodes, xattrs, layout, version).run();
}

ErofsImage write_erofs(const FileTree& tree, const ErofsOptions& options, Sink& sink) {
    const Bytes image = write_erofs(tree, options.min_version, options.algorithm);
    sink.write(image);
    return {.version = options.min_version,
            .size = image.size(),
            .digest = verity_digest(options.algorithm, image)};
}

ErofsImage measure_erofs(const FileTree& tree, const ErofsOptions& options) {
    MemorySink sink(std::size_t{1} << 40);
    return write_erofs(tree, options, sink);
}

}  // namespace cfs::image
