// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_xattrs.hpp"

#include "base/error.hpp"
#include "image/erofs_format.hpp"
#include "image/xxh32.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <tuple>

namespace cfs::image::erofs {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

std::uint64_t hash_pair(std::string_view name, std::string_view value) {
    constexpr std::hash<std::string_view> kHash;
    return kHash(name) * 31 + kHash(value);
}

/// V0 and V1: by full name, then length of the value, then value.
bool before_v1(const Xattr& a, const Xattr& b) {
    if (const int order = a.name.compare(b.name); order != 0) return order < 0;
    if (a.value.size() != b.value.size()) return a.value.size() < b.value.size();
    return a.value < b.value;
}

bool before_v2(const Xattr& a, const Xattr& b) {
    return std::tuple(a.index, a.suffix(), a.value) < std::tuple(b.index, b.suffix(), b.value);
}

void check_sizes(std::string_view name, std::string_view value) {
    if (name.empty() || name.size() > kMaxXattrName) {
        throw Error(ErrorCode::BadFormat,
                    "extended attribute '" + printable(name) + "' has a name of " +
                        std::to_string(name.size()) + " bytes, expected 1 to 255");
    }
    if (value.size() > kMaxXattrValue) {
        throw Error(ErrorCode::BadFormat,
                    "extended attribute '" + printable(name) + "' has a value of " +
                        std::to_string(value.size()) + " bytes, expected at most 65535");
    }
}

}  // namespace

std::string_view TextArena::keep(std::string_view text) {
    if (chunks_.empty() || capacity_ - used_ < text.size()) {
        capacity_ = std::max(kChunk, text.size());
        chunks_.push_back(std::make_unique<char[]>(capacity_));
        used_ = 0;
    }
    char* place = chunks_.back().get() + used_;
    std::copy(text.begin(), text.end(), place);
    used_ += text.size();
    return {place, text.size()};
}

XattrTable::XattrTable(const InodeList& inodes, ErofsVersion version, HashAlgorithm algorithm)
    : version_(version), algorithm_(algorithm), slots_(1024) {
    lists_.reserve(inodes.items.size());
    ids_.reserve(3 * inodes.items.size());
    for (std::size_t i = 0; i < inodes.items.size(); ++i) {
        const std::size_t first = ids_.size();
        add_item(inodes.items[i], i == 0);
        if (version_ != ErofsVersion::V2) sort_from(first);
        lists_.push_back(
            {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(ids_.size() - first)});
    }
    lay_out_shared();
    measure_lists();
}

void XattrTable::add_item(const Item& item, bool is_root) {
    if (item.leaf != nullptr && item.type == FileType::Regular && !item.escaped &&
        !item.leaf->is_inline()) {
        add_backing(*item.leaf);
    }
    for (const auto& [name, value] : item.meta->xattrs) {
        check_sizes(name, value);
        if (name.starts_with(kOverlayPrefix)) {
            add(std::string(kEscapedPrefix).append(name, kOverlayPrefix.size()), value);
        } else {
            add(name, value);
        }
    }
    if (version_ == ErofsVersion::V2) return;
    if (item.escaped) {
        add(kWhiteoutMark, "");
        add(kUserWhiteoutMark, "");
    }
    if (item.holds_escaped) {
        add(kWhiteoutsMark, "");
        add(kUserWhiteoutsMark, "");
        if (version_ == ErofsVersion::V1) {
            add(kOpaqueMark, "x");
            add(kUserOpaqueMark, "x");
        }
    }
    if (is_root) add(kOpaque, "y");
}

void XattrTable::add_backing(const Inode& leaf) {
    if (!leaf.external) {
        add(kMetacopy, "");
        if (!leaf.backing_path.empty()) add(kRedirect, "/" + leaf.backing_path);
        return;
    }
    if (leaf.external->algorithm() != algorithm_) {
        throw Error(ErrorCode::InvalidArgs,
                    "object " + leaf.external->hex() + " is named by " +
                        std::string(to_string(leaf.external->algorithm())) + ", expected " +
                        std::string(to_string(algorithm_)));
    }
    const ByteView digest = leaf.external->bytes();
    std::array<char, 4 + 64> metacopy = {
        0, static_cast<char>(4 + digest.size()), 0, static_cast<char>(algorithm_)};
    std::copy(digest.begin(), digest.end(), metacopy.begin() + 4);
    add(kMetacopy, {metacopy.data(), 4 + digest.size()});
    add(kRedirect,
        "/" + (leaf.backing_path.empty() ? object_path(*leaf.external) : leaf.backing_path));
}

void XattrTable::add(std::string_view name, std::string_view value) {
    const std::uint32_t id = intern(name, value);
    ++xattrs_[id].count;
    ids_.push_back(id);
}

std::uint32_t XattrTable::intern(std::string_view name, std::string_view value) {
    if (2 * xattrs_.size() >= slots_.size()) grow();
    const std::uint64_t hash = hash_pair(name, value);
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash & mask;
    for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
        const Xattr& known = xattrs_[slots_[slot] - 1];
        if (known.hash == hash && known.name == name && known.value == value) {
            return slots_[slot] - 1;
        }
    }
    xattrs_.push_back(make(name, value, hash));
    slots_[slot] = static_cast<std::uint32_t>(xattrs_.size());
    return slots_[slot] - 1;
}

Xattr XattrTable::make(std::string_view name, std::string_view value, std::uint64_t hash) {
    Xattr xattr;
    // The fixed names outlive everything; the rest may be temporaries of the caller.
    xattr.name = name == kMetacopy ? kMetacopy : name == kRedirect ? kRedirect : arena_.keep(name);
    xattr.value = arena_.keep(value);
    xattr.hash = hash;
    for (const Prefix& prefix : kPrefixes) {
        if (prefix.index == kPrefixLustre && version_ != ErofsVersion::V2) continue;
        if (!name.starts_with(prefix.text)) continue;
        xattr.index = prefix.index;
        xattr.prefix_size = static_cast<std::uint8_t>(prefix.text.size());
        break;
    }
    xattr.filter_bit = 1u << (xxh32(as_bytes(xattr.suffix()), kFilterSeed + xattr.index) % 32);
    if (xattr.index == 2 || xattr.index == 3) has_acl_ = true;
    return xattr;
}

void XattrTable::grow() {
    std::vector<std::uint32_t> bigger(2 * slots_.size());
    for (std::uint32_t id = 0; id < xattrs_.size(); ++id) {
        std::size_t slot = xattrs_[id].hash & (bigger.size() - 1);
        while (bigger[slot] != 0)
            slot = (slot + 1) & (bigger.size() - 1);
        bigger[slot] = id + 1;
    }
    slots_ = std::move(bigger);
}

void XattrTable::sort_from(std::size_t first) {
    std::sort(
        ids_.begin() + static_cast<std::ptrdiff_t>(first),
        ids_.end(),
        [this](std::uint32_t a, std::uint32_t b) { return before_v1(xattrs_[a], xattrs_[b]); });
}

void XattrTable::lay_out_shared() {
    for (std::uint32_t id = 0; id < xattrs_.size(); ++id) {
        if (xattrs_[id].shared()) shared_.push_back(id);
    }
    std::sort(shared_.begin(), shared_.end(), [this](std::uint32_t a, std::uint32_t b) {
        return version_ == ErofsVersion::V2 ? before_v2(xattrs_[a], xattrs_[b])
                                            : before_v1(xattrs_[b], xattrs_[a]);
    });
    for (const std::uint32_t id : shared_) {
        xattrs_[id].offset = static_cast<std::uint32_t>(shared_size_);
        shared_size_ += xattrs_[id].stored_size();
    }
}

void XattrTable::measure_lists() {
    for (XattrList& list : lists_) {
        if (list.count == 0) continue;
        std::uint64_t size = kXattrHeader;
        std::uint32_t shared = 0;
        for (std::uint32_t i = 0; i < list.count; ++i) {
            const Xattr& xattr = at(list.first + i);
            size += xattr.shared() ? 4 : xattr.stored_size();
            if (xattr.shared()) ++shared;
        }
        if (shared > 255 || (size - kXattrHeader) / 4 + 1 > 0xffff) {
            throw Error(ErrorCode::BadFormat,
                        "an inode has " + std::to_string(list.count) + " extended attributes (" +
                            std::to_string(size) + " bytes, " + std::to_string(shared) +
                            " shared), more than the image format holds",
                        "Remove attributes from the image's files.");
        }
        list.stored_size = static_cast<std::uint32_t>(size);
    }
}

}  // namespace cfs::image::erofs
