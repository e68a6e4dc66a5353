// SPDX-License-Identifier: Apache-2.0
/// \file The file tree of an image, in memory: what the layers merge into, what the transforms
/// change, and what the EROFS writer and the dump writer read.
///
/// A tree is a value without threads: one owner, one thread. Leaves (everything but directories)
/// are shared by all their names, which is what a hard link is; a leaf belongs to one tree.
#pragma once

#include "crypto/digest.hpp"
#include "image/name_map.hpp"
#include "image/xattrs.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cfs::image {

enum class FileType : std::uint8_t {
    Regular,
    Directory,
    Symlink,
    CharDevice,
    BlockDevice,
    Fifo,
    Socket
};

/// "regular file", "directory", ... for messages.
[[nodiscard]] std::string_view to_string(FileType type);

/// As ls(1) and file_contexts(5) spell a type: '-', 'd', 'l', 'c', 'b', 'p' or 's'.
[[nodiscard]] char type_letter(FileType type);

/// The S_IFMT bits: 0100000 for a regular file.
[[nodiscard]] std::uint32_t mode_bits(FileType type);

/// By the S_IFMT bits of `mode`; nullopt for a type that Linux does not know.
[[nodiscard]] std::optional<FileType> file_type_from_mode(std::uint32_t mode);

struct Metadata {
    std::uint32_t mode = 0;  ///< permission bits only, 07777
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t mtime_nsec = 0;
    std::int64_t mtime_sec = 0;
    Xattrs xattrs;

    bool operator==(const Metadata&) const = default;
};

/// A text that hardly anything has: a pointer's room where there is none.
class RareText {
 public:
    RareText() = default;
    RareText(const RareText& other) { *this = other.view(); }
    RareText(RareText&&) noexcept = default;
    ~RareText() = default;

    RareText& operator=(const RareText& other) { return *this = other.view(); }

    RareText& operator=(RareText&&) noexcept = default;

    RareText& operator=(std::string_view text) {
        text_ = text.empty() ? nullptr : std::make_unique<std::string>(text);
        return *this;
    }

    [[nodiscard]] bool empty() const { return text_ == nullptr; }

    [[nodiscard]] std::string_view view() const {
        return text_ == nullptr ? std::string_view() : *text_;
    }

    bool operator==(const RareText& other) const { return view() == other.view(); }

 private:
    std::unique_ptr<std::string> text_;
};

/// A leaf. Regular files come in three kinds:
///  - inline: `content` holds all `size` bytes and `external` is empty;
///  - external: `external` names the object by fs-verity digest, `content` is empty;
///  - external without a digest (from dumps and foreign images only): both empty, size > 0;
///    `backing_path` may say where the bytes are, else the file is sparse.
/// `nameless` and `stated_nlink` are what only the C dialect knows (ImageDialect::C). Members that
/// are read together lie together: a big tree does not fit the caches.
struct Inode {
    FileType type = FileType::Regular;
    bool nameless = false;   ///< external with a digest, but the image is to name no object
    std::uint32_t rdev = 0;  ///< devices only; see make_rdev()
    std::uint64_t size = 0;  ///< bytes; a symlink's is its target's length; 0 for the rest
    Metadata meta;
    std::optional<std::uint32_t> stated_nlink;  ///< as a C dump says; else the number of names
    std::optional<Digest> external;
    std::string content;    ///< inline bytes, or a symlink's target
    RareText backing_path;  ///< only when it is not the path that the digest implies

    [[nodiscard]] bool is_inline() const {
        return type == FileType::Regular && !external && content.size() == size;
    }

    [[nodiscard]] bool is_whiteout() const { return type == FileType::CharDevice && rdev == 0; }

    bool operator==(const Inode&) const = default;
};

/// An empty leaf. Leaves that are made one after the other lie side by side.
[[nodiscard]] std::shared_ptr<Inode> make_inode();

/// A copy that belongs to nobody yet.
[[nodiscard]] std::shared_ptr<Inode> make_inode(const Inode& from);

/// Linux' 32-bit device number, as in stat.st_rdev (12 bits of major, 20 bits of minor).
[[nodiscard]] std::uint32_t make_rdev(std::uint64_t major, std::uint64_t minor);

/// "xx/yyyy...": where the object of a digest lies below objects/.
[[nodiscard]] std::string object_path(const Digest& digest);

/// path == object_path(digest), without making the text.
[[nodiscard]] bool is_object_path_of(std::string_view path, const Digest& digest);

/// Inverse of object_path(); nullopt for anything else.
[[nodiscard]] std::optional<Digest> digest_from_object_path(std::string_view path);

class Directory;

/// One name's meaning: a directory of its own or a shared leaf. Never empty except after a move.
class Node {
 public:
    explicit Node(std::unique_ptr<Directory> directory);
    /// `is_link`: this name was given as a link to another one, which is the file's own name.
    explicit Node(std::shared_ptr<Inode> leaf, bool is_link = false);
    Node(Node&&) noexcept;
    Node& operator=(Node&&) noexcept;
    ~Node();

    [[nodiscard]] bool is_directory() const { return directory_ != nullptr; }

    /// nullptr for a leaf.
    [[nodiscard]] Directory* directory() const { return directory_.get(); }

    /// nullptr for a directory.
    [[nodiscard]] const std::shared_ptr<Inode>& leaf() const { return leaf_; }

    /// Decides only where the C dialect numbers a file with several names.
    [[nodiscard]] bool is_link() const { return is_link_; }

    /// Breaks a hard link: this name gets `leaf` as its own.
    void set_leaf(std::shared_ptr<Inode> leaf) {
        leaf_ = std::move(leaf);
        is_link_ = false;
    }

    [[nodiscard]] FileType type() const;
    [[nodiscard]] Metadata& meta() const;

 private:
    std::unique_ptr<Directory> directory_;
    std::shared_ptr<Inode> leaf_;
    bool is_link_ = false;
};

/// Children by name, in byte order. Names are 1 to 255 bytes without '/' and NUL, never "." or
/// "..": the readers check, the tree does not.
class Directory {
 public:
    using Children = NameMap<Node>;

    Metadata meta;
    Children children;

    [[nodiscard]] Node* find(std::string_view name);
    [[nodiscard]] const Node* find(std::string_view name) const;

    /// Replaces whatever had the name.
    Node& put(std::string_view name, Node node);
};

/// A path's components below a directory may be nested at most this deep (the deepest tree whose
/// leaves still have a path of PATH_MAX bytes); readers refuse more, so that recursion is bounded.
inline constexpr std::size_t kMaxDepth = 2048;
inline constexpr std::size_t kMaxPath = 4095;
inline constexpr std::size_t kMaxName = 255;
inline constexpr std::size_t kMaxSymlink = 4095;
inline constexpr std::size_t kMaxXattrName = 255;
inline constexpr std::size_t kMaxXattrValue = 65535;
/// Regular files up to this size are stored in the image itself, bigger ones as objects.
inline constexpr std::size_t kMaxInline = 64;

class FileTree {
 public:
    FileTree();

    [[nodiscard]] Directory& root() { return *root_; }

    [[nodiscard]] const Directory& root() const { return *root_; }

    /// "usr/lib/os-release", with or without leading '/'; "" and "/" cannot be asked for (use
    /// root()). nullptr when missing. Symbolic links are not followed.
    [[nodiscard]] Node* lookup(std::string_view path);
    [[nodiscard]] const Node* lookup(std::string_view path) const;

    /// nullptr when missing or not a directory. "" and "/" are the root.
    [[nodiscard]] Directory* lookup_directory(std::string_view path);

    /// Calls `visit` for everything below the root, depth first, names in byte order, a directory
    /// before its children. Paths are absolute.
    void walk(const std::function<void(const std::string& path, const Node& node)>& visit) const;

    /// Deep copy; names that shared a leaf share one in the copy.
    [[nodiscard]] FileTree copy() const;

 private:
    std::unique_ptr<Directory> root_;
};

}  // namespace cfs::image
