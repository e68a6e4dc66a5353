// SPDX-License-Identifier: Apache-2.0
/// \file The extended attributes of an image: what each inode stores and what they share. Internal
/// to the EROFS writer.
#pragma once

#include "image/erofs_inodes.hpp"
#include "image/erofs_writer.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace cfs::image::erofs {

/// Memory for generated names and values that lives as long as the table.
class TextArena {
 public:
    [[nodiscard]] std::string_view keep(std::string_view text);

 private:
    std::vector<std::unique_ptr<char[]>> chunks_;
    std::size_t used_ = 0;
    std::size_t capacity_ = 0;
};

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

/// Where an inode's attributes are.
struct XattrList {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t stored_size = 0;  ///< of the block behind the inode, 0 without attributes
};

/// Points into the tree, which must outlive it unchanged.
class XattrTable {
 public:
    /// Throws BadFormat for what the format cannot hold and InvalidArgs for a digest of another
    /// algorithm.
    XattrTable(const InodeList& inodes, ErofsVersion version, HashAlgorithm algorithm);

    /// By index of the inode.
    [[nodiscard]] const XattrList& of(std::size_t inode) const { return lists_[inode]; }

    [[nodiscard]] const Xattr& at(std::uint32_t position) const { return xattrs_[ids_[position]]; }

    /// In the order of the shared area.
    [[nodiscard]] const std::vector<std::uint32_t>& shared() const { return shared_; }

    [[nodiscard]] const Xattr& xattr(std::uint32_t id) const { return xattrs_[id]; }

    [[nodiscard]] std::uint64_t shared_size() const { return shared_size_; }

    [[nodiscard]] bool has_acl() const { return has_acl_; }

 private:
    void add_item(const Item& item, bool is_root);
    void add_backing(const Inode& leaf);
    void add(std::string_view name, std::string_view value);
    [[nodiscard]] std::uint32_t intern(std::string_view name, std::string_view value);
    [[nodiscard]] Xattr make(std::string_view name, std::string_view value, std::uint64_t hash);
    void grow();
    void sort_from(std::size_t first);
    void lay_out_shared();
    void measure_lists();

    ErofsVersion version_;
    HashAlgorithm algorithm_;
    TextArena arena_;
    std::vector<Xattr> xattrs_;
    std::vector<std::uint32_t> slots_;  ///< open addressing: id + 1, 0 is free
    std::vector<std::uint32_t> ids_;
    std::vector<XattrList> lists_;
    std::vector<std::uint32_t> shared_;
    std::uint64_t shared_size_ = 0;
    bool has_acl_ = false;
};

}  // namespace cfs::image::erofs
