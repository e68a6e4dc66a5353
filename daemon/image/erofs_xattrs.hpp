// SPDX-License-Identifier: Apache-2.0
/// \file The extended attributes of an image: what each inode stores and what they share. Internal
/// to the EROFS writer.
#pragma once

#include "image/erofs_format.hpp"
#include "image/erofs_inodes.hpp"
#include "image/text_arena.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cfs::image::erofs {

/// A distinct attribute. Equal pairs have one index, so a label that 100,000 files carry is hashed,
/// split and stored once.
struct Xattr {
    std::string_view name;  ///< as stored: escaped, with prefix
    std::string_view value;
    std::uint64_t hash = 0;
    std::uint8_t index = 0;  ///< of the prefix
    std::uint8_t prefix_size = 0;
    std::uint32_t filter_bit = 0;
    std::uint32_t count = 0;   ///< inodes that have it; above one: shared
    std::uint32_t offset = 0;  ///< of a shared one, in the shared area

    [[nodiscard]] bool shared() const { return count > 1; }

    [[nodiscard]] std::string_view suffix() const { return name.substr(prefix_size); }

    /// Bytes of the entry on disk.
    [[nodiscard]] std::uint32_t stored_size() const {
        return static_cast<std::uint32_t>((4 + name.size() - prefix_size + value.size() + 3) & ~3u);
    }
};

/// One attribute of one inode, in the order of storing.
struct XattrRef {
    const Xattr* xattr;    ///< nullptr: generated from the digest below, and in no other inode
    const Digest* digest;  ///< the object of an external file
    bool redirect;         ///< then: its redirect attribute, else its metacopy attribute
    bool reference;        ///< stored as a reference to the shared area
};

/// Points into the tree, which must outlive it unchanged.
class XattrTable {
 public:
    XattrTable(const InodeList& inodes, const Rules& rules);

    /// Takes the attributes of the next inode. Throws BadFormat for what the format cannot hold and
    /// InvalidArgs for a digest of another algorithm.
    void add(std::size_t index);

    /// Once, when all were added; throws BadFormat. What is asked below is known then.
    void finish();

    /// Bytes of the block behind the inode; 0 without attributes.
    [[nodiscard]] std::uint32_t stored_size(std::size_t inode) const {
        return inodes_[inode].stored_size;
    }

    /// The filter of the names, inverted as it is stored.
    [[nodiscard]] std::uint32_t filter(std::size_t inode) const;

    /// Calls `visit` with the XattrRef of each attribute, in order.
    template <typename Visit>
    void for_each(std::size_t inode, Visit visit) const;

    /// In the order of the shared area.
    [[nodiscard]] const std::vector<std::uint32_t>& shared() const { return shared_; }

    [[nodiscard]] const Xattr& xattr(std::uint32_t id) const { return xattrs_[id]; }

    [[nodiscard]] std::uint64_t shared_size() const { return shared_size_; }

    [[nodiscard]] bool has_acl() const { return has_acl_; }

 private:
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::uint32_t kLiteral = 0x80000000;

    /// The own attributes of one inode or of many.
    struct Set {
        std::uint32_t first = 0;  ///< range of ids_
        std::uint32_t count = 0;
        std::uint32_t metacopy_at = 0;  ///< how many come before a metacopy attribute
        std::uint32_t redirect_at = 0;  ///< and before a redirect attribute
        std::uint32_t uses = 0;
        std::uint32_t size = 0;  ///< of the entries as stored, references included
        std::uint32_t shared = 0;
        std::uint32_t filter = 0;
    };

    /// An object that files are made of. Its two attributes follow from the digest, so they become
    /// texts only when several inodes share them.
    struct Object {
        const Digest* digest = nullptr;
        std::uint32_t metacopies = 0;
        std::uint32_t redirects = 0;
        std::uint32_t metacopy_id = kNone;  ///< of the shared attribute
        std::uint32_t redirect_id = kNone;
    };

    struct ObjectSlot {
        std::uint32_t tag = 0;     ///< of the digest's hash
        std::uint32_t object = 0;  ///< index + 1, 0 is free
    };

    struct OfInode {
        std::uint32_t set = kNone;
        std::uint32_t metacopy = kNone;  ///< index of the object, or an id with kLiteral
        std::uint32_t redirect = kNone;  ///< the same
        std::uint32_t stored_size = 0;
    };

    void prefetch_slot(const Item& item) const;
    void add_backing(const Inode& leaf, OfInode& out);
    [[nodiscard]] std::uint32_t set_of(const Item& item, bool is_root);
    [[nodiscard]] std::uint32_t make_set(const Item& item, bool is_root);
    void add_own(const Xattrs& own);
    void add_mark(std::size_t first, std::string_view name, std::string_view value);
    [[nodiscard]] std::uint32_t find_object(const Digest& digest);
    [[nodiscard]] std::uint32_t intern(std::string_view name, std::string_view value);
    [[nodiscard]] Xattr make(std::string_view name, std::string_view value, std::uint64_t hash);
    void grow();
    void close_set(Set& set);
    void count_uses();
    void lay_out_shared();
    void measure();
    void measure_inode(std::size_t index);
    [[nodiscard]] const Xattr* shared_one(std::uint32_t ref, bool redirect) const;
    [[nodiscard]] std::uint32_t backing_size(std::uint32_t ref, bool redirect) const;
    [[nodiscard]] std::uint32_t entry_size(const XattrRef& ref) const;

    Rules rules_;
    TextArena arena_;
    std::vector<Xattr> xattrs_;
    std::vector<std::uint32_t> slots_;  ///< open addressing: id + 1, 0 is free
    std::vector<std::uint32_t> ids_;
    std::vector<Set> sets_;
    std::unordered_map<const void*, std::uint32_t> known_sets_;  ///< by Xattrs::id()
    /// The last ones, by a few bits of their id: files in a row have one of a handful of labels.
    std::array<std::pair<const void*, std::uint32_t>, 64> recent_sets_{};
    HugeVector<Object> objects_;
    std::deque<Digest> digests_;           ///< those that only a path names
    HugeVector<ObjectSlot> object_slots_;  ///< open addressing, room for one object per inode
    const InodeList& list_;
    HugeVector<OfInode> inodes_;
    std::vector<std::uint32_t> shared_;
    std::uint64_t shared_size_ = 0;
    std::uint32_t metacopy_bit_ = 0;
    std::uint32_t redirect_bit_ = 0;
    std::int64_t counted_ = 0;  ///< of the marks, as libcomposefs counts
    bool has_acl_ = false;
};

/// libcomposefs' limit of references per inode; the rest is stored in the inode itself.
inline constexpr std::uint32_t kMaxReferencesC = 128;

template <typename Visit>
void XattrTable::for_each(std::size_t inode, Visit visit) const {
    const OfInode& of = inodes_[inode];
    std::uint32_t references = 0;
    const auto give = [&](const Xattr* xattr, const Digest* digest, bool redirect) {
        const bool reference =
            xattr != nullptr && xattr->shared() && (!rules_.c() || references < kMaxReferencesC);
        if (reference) ++references;
        visit(XattrRef{xattr, digest, redirect, reference});
    };
    const auto give_backing = [&](std::uint32_t ref, bool redirect) {
        if (ref == kNone) return;
        const Xattr* xattr = shared_one(ref, redirect);
        give(xattr, xattr == nullptr ? objects_[ref].digest : nullptr, redirect);
    };
    const Set none;
    const Set& set = of.set == kNone ? none : sets_[of.set];
    std::uint32_t i = 0;
    for (; i < set.metacopy_at; ++i)
        give(&xattrs_[ids_[set.first + i]], nullptr, false);
    give_backing(of.metacopy, false);
    for (; i < set.redirect_at; ++i)
        give(&xattrs_[ids_[set.first + i]], nullptr, false);
    give_backing(of.redirect, true);
    for (; i < set.count; ++i)
        give(&xattrs_[ids_[set.first + i]], nullptr, false);
}

}  // namespace cfs::image::erofs
