// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_xattrs.hpp"

#include "base/error.hpp"
#include "image/xxh32.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <tuple>

namespace cfs::image::erofs {
namespace {

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

std::uint32_t filter_bit(std::string_view suffix, std::uint8_t index) {
    return 1u << (xxh32(as_bytes(suffix), kFilterSeed + index) % 32);
}

constexpr std::size_t kTrustedPrefix = 8;
constexpr std::uint8_t kTrustedIndex = 4;

}  // namespace

XattrTable::XattrTable(const InodeList& inodes, const Rules& rules)
    : rules_(rules),
      slots_(1024),
      object_slots_(std::bit_ceil(2 * inodes.items.size() + 1)),
      list_(inodes),
      inodes_(inodes.items.size()),
      metacopy_bit_(filter_bit(kMetacopy.substr(kTrustedPrefix), kTrustedIndex)),
      redirect_bit_(filter_bit(kRedirect.substr(kTrustedPrefix), kTrustedIndex)) {
    objects_.reserve(inodes.items.size());
}

void XattrTable::finish() {
    count_uses();
    lay_out_shared();
    measure();
}

/// Digests are random numbers: each would be waited for in the table of objects.
void XattrTable::prefetch_slot(const Item& item) const {
    if (item.leaf == nullptr || !item.leaf->external) return;
    const std::size_t hash = std::hash<Digest>()(*item.leaf->external);
    __builtin_prefetch(&object_slots_[hash & (object_slots_.size() - 1)]);
}

void XattrTable::add(std::size_t index) {
    if (index + kAhead < list_.items.size()) prefetch_slot(list_.items[index + kAhead]);
    const Item& item = list_.items[index];
    OfInode& out = inodes_[index];
    out.set = set_of(item, index == 0);
    if (item.leaf != nullptr && item.type == FileType::Regular && !item.escaped &&
        !item.leaf->is_inline()) {
        add_backing(*item.leaf, out);
    }
}

std::uint32_t XattrTable::set_of(const Item& item, bool is_root) {
    const bool marked = !rules_.v2() && (item.escaped || item.holds_escaped || is_root);
    const void* id = item.meta->xattrs.id();
    if (!marked) {
        if (id == nullptr) return kNone;
        auto& [recent, set] = recent_sets_[reinterpret_cast<std::uintptr_t>(id) / 64 % 64];
        if (id != recent) {
            const auto [known, fresh] = known_sets_.try_emplace(id, kNone);
            if (fresh) known->second = make_set(item, is_root);
            recent = id;
            set = known->second;
        }
        ++sets_[set].uses;
        return set;
    }
    const std::uint32_t set = make_set(item, is_root);
    ++sets_[set].uses;
    return set;
}

std::uint32_t XattrTable::make_set(const Item& item, bool is_root) {
    Set set;
    set.first = static_cast<std::uint32_t>(ids_.size());
    add_own(item.meta->xattrs);
    if (!rules_.v2()) {
        counted_ = 0;
        if (item.escaped) {
            add_mark(set.first, kWhiteoutMark, "");
            add_mark(set.first, kUserWhiteoutMark, "");
        }
        if (item.holds_escaped) {
            add_mark(set.first, kWhiteoutsMark, "");
            add_mark(set.first, kUserWhiteoutsMark, "");
            if (rules_.version == ErofsVersion::V1) {
                add_mark(set.first, kOpaqueMark, "x");
                add_mark(set.first, kUserOpaqueMark, "x");
            }
        }
        if (is_root) add_mark(set.first, kOpaque, "y");
    }
    sets_.push_back(set);
    close_set(sets_.back());
    return static_cast<std::uint32_t>(sets_.size() - 1);
}

void XattrTable::add_own(const Xattrs& own) {
    for (const auto& [name, value] : own) {
        check_sizes(name, value);
        if (name.starts_with(kOverlayPrefix)) {
            ids_.push_back(
                intern(std::string(kEscapedPrefix).append(name, kOverlayPrefix.size()), value));
        } else {
            ids_.push_back(intern(name, value));
        }
    }
}

/// composefs-rs puts a mark beside an attribute of that name, libcomposefs in its place. The latter
/// counts what the attributes take, from zero on: a mark that replaces a longer value takes the
/// counter below zero, which it refuses, unless the value was the only one.
void XattrTable::add_mark(std::size_t first, std::string_view name, std::string_view value) {
    const std::uint32_t id = intern(name, value);
    const auto begin = ids_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto old = !rules_.c() ? ids_.end() : std::find_if(begin, ids_.end(), [&](auto at) {
        return xattrs_[at].name == name;
    });
    if (old == ids_.end() || ids_.end() - begin == 1) {
        counted_ += static_cast<std::int64_t>(7 + name.size() + value.size());
    } else {
        const std::size_t size = xattrs_[*old].value.size();
        counted_ += static_cast<std::int64_t>(value.size()) - static_cast<std::int64_t>(size);
        if (counted_ < 0) {
            throw Error(ErrorCode::BadFormat,
                        "attribute '" + printable(name) + "' has a value of " +
                            std::to_string(size) + " bytes where a mark of whiteouts has to be put",
                        "Remove the attributes that mark whiteouts from the tree.");
        }
    }
    if (old == ids_.end()) {
        ids_.push_back(id);
    } else {
        *old = id;
    }
}

void XattrTable::add_backing(const Inode& leaf, OfInode& out) {
    if (leaf.external && leaf.external->algorithm() != rules_.algorithm) {
        throw Error(ErrorCode::InvalidArgs,
                    "object " + leaf.external->hex() + " is named by " +
                        std::string(to_string(leaf.external->algorithm())) + ", expected " +
                        std::string(to_string(rules_.algorithm)));
    }
    const auto count = [this](std::uint32_t id) {
        ++xattrs_[id].count;
        return id | kLiteral;
    };
    if (leaf.external) {
        out.metacopy = find_object(*leaf.external);
        ++objects_[out.metacopy].metacopies;
    } else {
        out.metacopy = count(intern(kMetacopy, ""));
    }
    if (!leaf.backing_path.empty()) {
        // A path of another object is that object's redirect, whoever has it.
        const auto named = digest_from_object_path(leaf.backing_path.view());
        if (named && named->algorithm() == rules_.algorithm) {
            digests_.push_back(*named);
            out.redirect = find_object(digests_.back());
            ++objects_[out.redirect].redirects;
        } else {
            out.redirect =
                count(intern(kRedirect, std::string("/").append(leaf.backing_path.view())));
        }
    } else if (leaf.external && !leaf.nameless) {
        out.redirect = out.metacopy;
        ++objects_[out.redirect].redirects;
    }
}

std::uint32_t XattrTable::find_object(const Digest& digest) {
    const std::size_t hash = std::hash<Digest>()(digest);
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    const std::size_t mask = object_slots_.size() - 1;
    std::size_t slot = hash & mask;
    for (; object_slots_[slot].object != 0; slot = (slot + 1) & mask) {
        const ObjectSlot& taken = object_slots_[slot];
        if (taken.tag == tag && *objects_[taken.object - 1].digest == digest) {
            return taken.object - 1;
        }
    }
    objects_.push_back({.digest = &digest});
    object_slots_[slot] = {tag, static_cast<std::uint32_t>(objects_.size())};
    return object_slots_[slot].object - 1;
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
    xattr.name = arena_.keep(name);
    xattr.value = arena_.keep(value);
    xattr.hash = hash;
    for (const Prefix& prefix : kPrefixes) {
        if (prefix.index == kPrefixLustre && !rules_.v2()) continue;
        if (!name.starts_with(prefix.text)) continue;
        xattr.index = prefix.index;
        xattr.prefix_size = static_cast<std::uint8_t>(prefix.text.size());
        break;
    }
    xattr.filter_bit = filter_bit(xattr.suffix(), xattr.index);
    // libcomposefs wants the whole name, composefs-rs looks at the index.
    if ((xattr.index == 2 || xattr.index == 3) && (!rules_.c() || xattr.suffix().empty())) {
        has_acl_ = true;
    }
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

/// Puts the attributes in their order and finds where those of an object go.
void XattrTable::close_set(Set& set) {
    set.count = static_cast<std::uint32_t>(ids_.size()) - set.first;
    const auto first = ids_.begin() + set.first;
    for (auto at = first; at != ids_.end(); ++at)
        set.filter |= xattrs_[*at].filter_bit;
    if (rules_.v2()) return;
    std::sort(first, ids_.end(), [this](std::uint32_t a, std::uint32_t b) {
        return before_v1(xattrs_[a], xattrs_[b]);
    });
    const auto before = [&](std::string_view name) {
        return static_cast<std::uint32_t>(std::count_if(
            first, ids_.end(), [&](std::uint32_t id) { return xattrs_[id].name < name; }));
    };
    set.metacopy_at = before(kMetacopy);
    set.redirect_at = before(kRedirect);
}

void XattrTable::count_uses() {
    for (const Set& set : sets_) {
        for (std::uint32_t i = 0; i < set.count; ++i)
            xattrs_[ids_[set.first + i]].count += set.uses;
    }
    for (Object& object : objects_) {
        if (object.metacopies > 1) {
            const ByteView digest = object.digest->bytes();
            std::string value = {0, static_cast<char>(4 + digest.size()), 0};
            value += static_cast<char>(rules_.algorithm);
            object.metacopy_id = intern(kMetacopy, value.append(as_text(digest)));
            xattrs_[object.metacopy_id].count = object.metacopies;
        }
        if (object.redirects > 1) {
            object.redirect_id = intern(kRedirect, "/" + object_path(*object.digest));
            xattrs_[object.redirect_id].count = object.redirects;
        }
    }
}

void XattrTable::lay_out_shared() {
    for (std::uint32_t id = 0; id < xattrs_.size(); ++id) {
        if (xattrs_[id].shared()) shared_.push_back(id);
    }
    std::sort(shared_.begin(), shared_.end(), [this](std::uint32_t a, std::uint32_t b) {
        return rules_.v2() ? before_v2(xattrs_[a], xattrs_[b]) : before_v1(xattrs_[b], xattrs_[a]);
    });
    for (const std::uint32_t id : shared_) {
        xattrs_[id].offset = static_cast<std::uint32_t>(shared_size_);
        shared_size_ += xattrs_[id].stored_size();
    }
}

void XattrTable::measure() {
    for (Set& set : sets_) {
        for (std::uint32_t i = 0; i < set.count; ++i) {
            const Xattr& xattr = xattrs_[ids_[set.first + i]];
            set.size += xattr.shared() ? 4 : xattr.stored_size();
            set.shared += xattr.shared() ? 1 : 0;
        }
    }
    for (std::size_t i = 0; i < inodes_.size(); ++i)
        measure_inode(i);
}

const Xattr* XattrTable::shared_one(std::uint32_t ref, bool redirect) const {
    if ((ref & kLiteral) != 0) return &xattrs_[ref & ~kLiteral];
    const std::uint32_t id = redirect ? objects_[ref].redirect_id : objects_[ref].metacopy_id;
    return id == kNone ? nullptr : &xattrs_[id];
}

std::uint32_t XattrTable::backing_size(std::uint32_t ref, bool redirect) const {
    if (ref == kNone) return 0;
    const Xattr* xattr = shared_one(ref, redirect);
    return xattr != nullptr && xattr->shared() ? 4 : entry_size({xattr, nullptr, redirect, false});
}

void XattrTable::measure_inode(std::size_t index) {
    OfInode& of = inodes_[index];
    if (of.set == kNone && of.metacopy == kNone) return;
    const Set none;
    const Set& set = of.set == kNone ? none : sets_[of.set];
    std::uint64_t size = kXattrHeader + set.size + backing_size(of.metacopy, false) +
                         backing_size(of.redirect, true);
    std::uint32_t shared = set.shared + 2;
    if (shared > kMaxReferencesC) {
        size = kXattrHeader;
        shared = 0;
        for_each(index, [&size, &shared, this](const XattrRef& ref) {
            shared += ref.reference ? 1 : 0;
            size += ref.reference ? 4 : entry_size(ref);
        });
    }
    if (shared > 255 || (size - kXattrHeader) / 4 + 1 > 0xffff) {
        throw Error(ErrorCode::BadFormat,
                    "an inode has extended attributes of " + std::to_string(size) + " bytes, " +
                        std::to_string(shared) +
                        " of them shared, more than the image format holds",
                    "Remove attributes from the image's files.");
    }
    of.stored_size = static_cast<std::uint32_t>(size);
}

std::uint32_t XattrTable::entry_size(const XattrRef& ref) const {
    if (ref.xattr != nullptr) return ref.xattr->stored_size();
    const std::size_t digest = digest_size(rules_.algorithm);
    const std::size_t size = ref.redirect ? kRedirect.size() - kTrustedPrefix + 2 + 2 * digest
                                          : kMetacopy.size() - kTrustedPrefix + 4 + digest;
    return static_cast<std::uint32_t>(align_up(4 + size, 4));
}

std::uint32_t XattrTable::filter(std::size_t inode) const {
    const OfInode& of = inodes_[inode];
    std::uint32_t bits = of.set == kNone ? 0 : sets_[of.set].filter;
    if (of.metacopy != kNone) bits |= metacopy_bit_;
    if (of.redirect != kNone) bits |= redirect_bit_;
    return ~bits;
}

}  // namespace cfs::image::erofs
