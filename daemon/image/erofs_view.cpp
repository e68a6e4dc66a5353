// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_view.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace cfs::image::erofs {
namespace {

[[noreturn]] void bad(const std::string& what) {
    throw Error(ErrorCode::BadFormat,
                "EROFS image: " + what,
                "The image is damaged or was made by another program; it has to be made anew.");
}

template <typename T>
void expect(std::string_view what, T found, T expected) {
    if (found == expected) return;
    bad(std::string(what) + " is " + std::to_string(found) + ", expected " +
        std::to_string(expected));
}

void check_name(std::string_view name) {
    if (name.empty() || name.size() > kMaxName || name.find('/') != name.npos) {
        bad("directory entry '" + printable(name) + "' has a wrong name");
    }
}

std::string prefixed(std::uint8_t index, std::string_view suffix) {
    for (const Prefix& prefix : kPrefixes) {
        if (prefix.index == index) return std::string(prefix.text).append(suffix);
    }
    bad("an attribute has the unknown prefix " + std::to_string(index));
}

}  // namespace

ErofsView::ErofsView(ByteView image)
    : image_(image),
      data_budget_(image.size()),
      xattr_budget_(16 * std::uint64_t{image.size()} + (16 << 20)) {
    if (image.size() < kFirstInode) bad("it has " + std::to_string(image.size()) + " bytes");
    read_header();
    read_superblock();
}

void ErofsView::read_header() {
    if (load_le<std::uint32_t>(image_, 0) != kComposefsMagic) bad("it has no composefs header");
    expect("the header's version", load_le<std::uint32_t>(image_, 4), kComposefsHeaderVersion);
    switch (const auto version = load_le<std::uint32_t>(image_, 12)) {
        case 0:
            version_ = ErofsVersion::V0;
            break;
        case 1:
            version_ = ErofsVersion::V1;
            break;
        case 2:
            version_ = ErofsVersion::V2;
            break;
        default:
            bad("the composefs version is " + std::to_string(version) + ", expected 0, 1 or 2");
    }
}

void ErofsView::read_superblock() {
    const ByteView block = image_.subspan(kSuperblock, kSuperblockSize);
    expect("the magic number", load_le<std::uint32_t>(block, 0), kErofsMagic);
    expect("the set of compatible features", load_le<std::uint32_t>(block, 8), kFeatureCompat);
    expect<unsigned>("log2 of the block size", block[12], 12);
    expect<unsigned>("the number of superblock extensions", block[13], 0);
    expect("the address of the metadata", load_le<std::uint32_t>(block, 40), 0u);
    expect(
        "the set of other features", load_le<std::uint32_t>(block, 80) & ~kFeatureChunkedFile, 0u);
    // Behind the features: compression, devices, packed inode and attribute prefixes, all unused.
    for (std::size_t i = 84; i < kSuperblockSize; ++i)
        expect<unsigned>("a reserved byte", block[i], 0);
    expect("the size in blocks",
           std::uint64_t{load_le<std::uint32_t>(block, 36)} * kBlock,
           std::uint64_t{image_.size()});
    root_nid_ = load_le<std::uint16_t>(block, 14);
    build_sec_ = load_le<std::uint64_t>(block, 24);
    build_nsec_ = load_le<std::uint32_t>(block, 32);
    shared_base_ = load_le<std::uint32_t>(block, 44) * kBlock;
}

ByteView ErofsView::at(std::uint64_t offset, std::uint64_t size, std::string_view what) const {
    if (offset > image_.size() || size > image_.size() - offset) {
        bad(std::string(what) + " at byte " + std::to_string(offset) + " with " +
            std::to_string(size) + " bytes lies outside of the " + std::to_string(image_.size()) +
            " bytes");
    }
    return image_.subspan(offset, size);
}

RawInode ErofsView::inode(std::uint64_t nid) const {
    if (nid < kFirstInode / kSlot || nid >= image_.size() / kSlot) {
        bad("inode number " + std::to_string(nid) + " is out of range");
    }
    const std::uint64_t offset = nid * kSlot;
    const auto format = load_le<std::uint16_t>(image_, offset);
    const bool extended = (format & 1) != 0;
    const std::uint64_t header_size = extended ? 64 : 32;
    const ByteView header = at(offset, header_size, "an inode");
    RawInode inode;
    inode.nid = nid;
    inode.layout = static_cast<Layout>(format >> 1);
    const auto mode = load_le<std::uint16_t>(header, 4);
    const auto type = file_type_from_mode(mode);
    const bool chunked = inode.layout == kChunkBased && type == FileType::Regular;
    if (!type || (inode.layout != kFlatPlain && inode.layout != kFlatInline && !chunked)) {
        bad("inode " + std::to_string(nid) + " has the unknown format " + std::to_string(format) +
            " or mode " + std::to_string(mode));
    }
    inode.type = *type;
    inode.meta.mode = mode & 07777;
    inode.union_field = load_le<std::uint32_t>(header, 16);
    if (extended) {
        inode.size = load_le<std::uint64_t>(header, 8);
        inode.meta.uid = load_le<std::uint32_t>(header, 24);
        inode.meta.gid = load_le<std::uint32_t>(header, 28);
        inode.meta.mtime_sec = static_cast<std::int64_t>(load_le<std::uint64_t>(header, 32));
        inode.meta.mtime_nsec = load_le<std::uint32_t>(header, 40);
        inode.nlink = load_le<std::uint32_t>(header, 44);
    } else {
        inode.size = load_le<std::uint32_t>(header, 8);
        inode.meta.uid = load_le<std::uint16_t>(header, 24);
        inode.meta.gid = load_le<std::uint16_t>(header, 26);
        inode.meta.mtime_sec = static_cast<std::int64_t>(build_sec_);
        inode.meta.mtime_nsec = build_nsec_;
        inode.nlink = load_le<std::uint16_t>(header, 6);
    }
    const std::uint64_t icount = load_le<std::uint16_t>(header, 2);
    inode.xattr_offset = offset + header_size;
    inode.xattr_size = icount == 0 ? 0 : kXattrHeader + (icount - 1) * 4;
    inode.body = inode.xattr_offset + inode.xattr_size;
    (void)at(inode.xattr_offset, inode.xattr_size, "an inode's attributes");
    return inode;
}

std::vector<RawXattr> ErofsView::attributes(const RawInode& inode) {
    std::vector<RawXattr> result;
    if (inode.xattr_size == 0) return result;
    const std::uint64_t shared = image_[inode.xattr_offset + 4];
    std::uint64_t local = inode.xattr_offset + kXattrHeader;
    if (shared * 4 > inode.body - local) bad("an inode has more shared attributes than room");
    for (std::uint64_t i = 0; i < shared; ++i, local += 4) {
        std::uint64_t offset =
            shared_base_ + load_le<std::uint32_t>(image_, local) * std::uint64_t{4};
        read_xattr(offset, image_.size(), result);
    }
    while (local < inode.body)
        read_xattr(local, inode.body, result);
    return result;
}

void ErofsView::read_xattr(std::uint64_t& offset, std::uint64_t end, std::vector<RawXattr>& out) {
    const ByteView head = at(offset, 4, "an attribute");
    const std::uint64_t name_size = head[0];
    const std::uint64_t value_size = load_le<std::uint16_t>(head, 2);
    const std::uint64_t size = 4 + name_size + value_size;
    const ByteView entry = at(offset, size, "an attribute");
    if (offset + size > end) bad("an attribute crosses the end of its inode");
    if (size > xattr_budget_) bad("its attributes are shared too often");
    xattr_budget_ -= size;
    const std::string_view text = as_text(entry);
    RawXattr xattr{prefixed(head[1], text.substr(4, name_size)), text.substr(4 + name_size)};
    if (xattr.name.empty() || xattr.name.find('\0') != xattr.name.npos) {
        bad("an attribute has the wrong name '" + printable(xattr.name) + "'");
    }
    out.push_back(std::move(xattr));
    offset += align_up(size, 4);
}

/// Block number `index` of the inode's data; the last one may be the inline tail.
ByteView ErofsView::piece(const RawInode& inode, std::uint64_t index) const {
    const std::uint64_t size = std::min(kBlock, inode.size - index * kBlock);
    if (inode.layout == kFlatInline && size < kBlock) return at(inode.body, size, "inline data");
    const std::uint64_t offset = (inode.union_field + index) * kBlock;
    return at(offset, size, "a data block");
}

std::string ErofsView::content(const RawInode& inode) {
    if (inode.size > data_budget_) bad("inode " + std::to_string(inode.nid) + " is too big");
    data_budget_ -= inode.size;
    std::string result;
    result.reserve(inode.size);
    for (std::uint64_t i = 0; i * kBlock < inode.size; ++i)
        result += as_text(piece(inode, i));
    return result;
}

std::vector<RawEntry> ErofsView::entries(const RawInode& inode) {
    if (inode.size > data_budget_) bad("directory " + std::to_string(inode.nid) + " is too big");
    data_budget_ -= inode.size;
    std::vector<RawEntry> result;
    for (std::uint64_t i = 0; i * kBlock < inode.size; ++i)
        read_group(piece(inode, i), result);
    const auto unordered = [](const RawEntry& a, const RawEntry& b) { return a.name >= b.name; };
    if (std::adjacent_find(result.begin(), result.end(), unordered) != result.end()) {
        bad("the names of directory " + std::to_string(inode.nid) + " are not in order");
    }
    return result;
}

void ErofsView::read_group(ByteView group, std::vector<RawEntry>& out) const {
    if (group.size() < kDirent) bad("a directory block is too short");
    const std::uint64_t names = load_le<std::uint16_t>(group, 8);
    if (names == 0 || names % kDirent != 0 || names > group.size()) {
        bad("a directory block's first name is at byte " + std::to_string(names));
    }
    for (std::uint64_t at = 0; at < names; at += kDirent) {
        const std::uint64_t begin = load_le<std::uint16_t>(group, at + 8);
        const bool last = at + kDirent == names;
        const std::uint64_t end =
            last ? group.size() : load_le<std::uint16_t>(group, at + kDirent + 8);
        if (begin < names || begin > end || end > group.size()) {
            bad("a directory block's names overlap");
        }
        std::string_view name = as_text(group.subspan(begin, end - begin));
        if (last) name = name.substr(0, name.find('\0'));
        check_name(name);
        if (name.find('\0') != name.npos) bad("a name holds a NUL byte");
        out.push_back({name, load_le<std::uint64_t>(group, at), group[at + 10]});
    }
}

Backing backing_of(const std::vector<RawXattr>& xattrs) {
    Backing backing;
    for (const RawXattr& xattr : xattrs) {
        if (xattr.name == kRedirect) {
            if (!xattr.value.starts_with('/')) bad("a redirect is not absolute");
            backing.path = xattr.value.substr(1);
        } else if (xattr.name == kMetacopy) {
            backing.external = true;
            if (xattr.value.empty()) continue;
            const ByteView raw = as_bytes(xattr.value);
            const auto algorithm =
                raw.size() == 4 + 32 ? HashAlgorithm::Sha256 : HashAlgorithm::Sha512;
            const bool known = raw.size() == 4 + digest_size(algorithm) && raw[0] == 0 &&
                               raw[1] == raw.size() && raw[2] == 0 &&
                               raw[3] == static_cast<std::uint8_t>(algorithm);
            if (!known) bad("a metacopy attribute has an unknown form");
            backing.digest = Digest(algorithm, raw.subspan(4));
        }
    }
    return backing;
}

}  // namespace cfs::image::erofs
