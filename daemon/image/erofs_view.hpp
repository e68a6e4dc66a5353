// SPDX-License-Identifier: Apache-2.0
/// \file Bounds-checked access to the parts of an EROFS image. Internal to the readers.
#pragma once

#include "base/bytes.hpp"
#include "image/erofs_format.hpp"
#include "image/tree.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::image::erofs {

struct RawInode {
    std::uint64_t nid = 0;
    std::uint64_t body = 0;  ///< offset of what follows header and attributes
    std::uint64_t xattr_offset = 0;
    std::uint64_t xattr_size = 0;
    FileType type = FileType::Regular;
    Layout layout = kFlatPlain;
    std::uint32_t union_field = 0;
    std::uint32_t nlink = 0;
    std::uint64_t size = 0;
    Metadata meta;  ///< without attributes
};

struct RawXattr {
    std::string name;  ///< with its prefix, as stored
    std::string_view value;
};

struct RawEntry {
    std::string_view name;
    std::uint64_t nid = 0;
    std::uint8_t type = 0;
};

/// Every function throws BadFormat for what lies outside the image or breaks the format. The sum
/// of what attributes(), entries() and content() return is bounded by a small multiple of the
/// image's size, so that parts which are referred to again and again cannot exhaust anything.
class ErofsView {
 public:
    /// `image` must outlive the view.
    explicit ErofsView(ByteView image);

    [[nodiscard]] ErofsVersion version() const { return version_; }

    [[nodiscard]] std::uint64_t root_nid() const { return root_nid_; }

    [[nodiscard]] RawInode inode(std::uint64_t nid) const;

    [[nodiscard]] std::vector<RawXattr> attributes(const RawInode& inode);

    /// Of a directory, in byte order, "." and ".." included.
    [[nodiscard]] std::vector<RawEntry> entries(const RawInode& inode);

    /// Inline bytes of a regular file, or a symlink's target.
    [[nodiscard]] std::string content(const RawInode& inode);

 private:
    void read_header();
    void read_superblock();
    [[nodiscard]] ByteView at(std::uint64_t offset,
                              std::uint64_t size,
                              std::string_view what) const;
    void read_xattr(std::uint64_t& offset, std::uint64_t end, std::vector<RawXattr>& out);
    void read_group(ByteView group, std::vector<RawEntry>& out) const;
    [[nodiscard]] ByteView piece(const RawInode& inode, std::uint64_t index) const;

    ByteView image_;
    ErofsVersion version_ = ErofsVersion::V1;
    std::uint64_t root_nid_ = 0;
    std::uint64_t shared_base_ = 0;
    std::uint64_t build_sec_ = 0;
    std::uint32_t build_nsec_ = 0;
    std::uint64_t data_budget_ = 0;
    std::uint64_t xattr_budget_ = 0;
};

/// What a file's overlay attributes say about its bytes.
struct Backing {
    bool external = false;  ///< has the metacopy attribute
    std::optional<Digest> digest;
    std::string path;  ///< of the redirect attribute, without its leading '/'
};

/// Throws BadFormat for a metacopy attribute that no composefs writer makes.
[[nodiscard]] Backing backing_of(const std::vector<RawXattr>& xattrs);

}  // namespace cfs::image::erofs
