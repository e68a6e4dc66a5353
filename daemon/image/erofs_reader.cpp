// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_reader.hpp"

#include "base/error.hpp"
#include "image/erofs_view.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

namespace cfs::image {
namespace {

using namespace erofs;

[[noreturn]] void bad(const std::string& what) {
    throw Error(ErrorCode::BadFormat,
                "EROFS image: " + what,
                "The image is damaged or was made by another program; it has to be made anew.");
}

struct Mark {
    std::string_view name;
    std::string_view value;
};

constexpr std::array<Mark, 2> kFileMarks = {{{kWhiteoutMark, ""}, {kUserWhiteoutMark, ""}}};
constexpr std::array<Mark, 4> kDirectoryMarks = {
    {{kWhiteoutsMark, ""}, {kUserWhiteoutsMark, ""}, {kOpaqueMark, "x"}, {kUserOpaqueMark, "x"}}};

/// What composefs-rs' reader takes in V2 images.
constexpr std::uint64_t kMaxInlineV2 = 512;
constexpr std::uint64_t kMaxSymlinkV2 = 1024;

using Stored = std::vector<RawXattr>;

Stored::iterator find_mark(Stored& xattrs, const Mark& mark) {
    return std::find_if(xattrs.begin(), xattrs.end(), [&mark](const RawXattr& xattr) {
        return xattr.name == mark.name && xattr.value == mark.value;
    });
}

bool has_marks(Stored& xattrs, std::span<const Mark> marks) {
    return std::all_of(marks.begin(), marks.end(), [&xattrs](const Mark& mark) {
        return find_mark(xattrs, mark) != xattrs.end();
    });
}

/// The marks are written beside attributes that the tree has itself, so only one of each goes.
void remove_marks(Stored& xattrs, std::span<const Mark> marks) {
    for (const Mark& mark : marks)
        xattrs.erase(find_mark(xattrs, mark));
}

class TreeReader {
 public:
    TreeReader(ByteView image, ImageDialect dialect, std::optional<HashAlgorithm> algorithm)
        : view_(image), c_(dialect == ImageDialect::C), algorithm_(algorithm) {}

    FileTree run() {
        FileTree tree;
        const std::uint64_t root = view_.root_nid();
        pending_.push_back({root, root, &tree.root(), 0});
        while (!pending_.empty()) {
            const Pending next = pending_.back();
            pending_.pop_back();
            read_directory(next);
        }
        if (!c_) check_names();
        if (!v2()) remove_stubs(tree.root());
        return tree;
    }

 private:
    /// A directory whose content is still to be read. A list of them instead of recursion: how deep
    /// a hostile image nests must not decide about our stack.
    struct Pending {
        std::uint64_t nid;
        std::uint64_t parent;
        Directory* directory;
        std::size_t depth;
    };

    /// A leaf and how often it was met.
    struct Leaf {
        std::shared_ptr<Inode> inode;
        std::uint32_t nlink = 0;
        std::uint32_t names = 0;
    };

    /// composefs-rs counts names instead of believing a dump, so any other number is damage.
    void check_names() const {
        for (const auto& [nid, leaf] : leaves_) {
            if (leaf.nlink != leaf.names) {
                bad("inode " + std::to_string(nid) + " has " + std::to_string(leaf.names) +
                    " names but a link count of " + std::to_string(leaf.nlink));
            }
            if (leaf.names > 1 && leaf.inode->is_whiteout()) {
                bad("whiteout " + std::to_string(nid) + " has several names");
            }
        }
    }

    [[nodiscard]] bool v2() const { return view_.version() == ErofsVersion::V2; }

    [[nodiscard]] std::span<const Mark> directory_marks() const {
        const std::size_t count = view_.version() == ErofsVersion::V1 ? 4 : 2;
        return std::span(kDirectoryMarks).first(count);
    }

    void read_directory(const Pending& at) {
        const RawInode raw = view_.inode(at.nid);
        if (raw.type != FileType::Directory) bad("the root is no directory");
        if (at.depth > kMaxDepth) bad("directories are nested too deeply");
        if (!directories_.insert(at.nid).second) {
            bad("directory " + std::to_string(at.nid) + " has two names");
        }
        at.directory->meta = raw.meta;
        Stored xattrs = view_.attributes(raw);
        const bool marked = !v2() && has_marks(xattrs, directory_marks());
        if (read_entries(raw, at, marked)) remove_marks(xattrs, directory_marks());
        if (at.depth == 0 && !v2()) remove_root_mark(xattrs);
        set_xattrs(xattrs, at.directory->meta);
    }

    /// \returns whether a child is an escaped whiteout
    bool read_entries(const RawInode& raw, const Pending& at, bool marked) {
        bool holds_whiteouts = false;
        int dots = 0;
        std::uint32_t nlink = 2;
        for (const RawEntry& entry : view_.entries(raw)) {
            if (entry.name == "." || entry.name == "..") {
                if (entry.nid != (entry.name == "." ? at.nid : at.parent)) {
                    bad("'.' or '..' is wrong");
                }
                ++dots;
                continue;
            }
            const RawInode child = view_.inode(entry.nid);
            if (entry.type != dirent_type(child.type)) bad("an entry's type is not its inode's");
            if (child.type == FileType::Directory) {
                auto below = std::make_unique<Directory>();
                pending_.push_back({entry.nid, at.nid, below.get(), at.depth + 1});
                append(*at.directory, entry.name, Node(std::move(below)));
                ++nlink;
            } else {
                auto leaf = read_leaf(child, marked, holds_whiteouts);
                append(*at.directory, entry.name, Node(std::move(leaf)));
            }
        }
        if (dots != 2) bad("a directory lacks '.' or '..'");
        if (raw.nlink != nlink) {
            bad("directory " + std::to_string(at.nid) + " has a link count of " +
                std::to_string(raw.nlink) + ", expected " + std::to_string(nlink));
        }
        return holds_whiteouts;
    }

    static void append(Directory& directory, std::string_view name, Node node) {
        directory.children.try_emplace(name, std::move(node));
    }

    static void remove_root_mark(Stored& xattrs) {
        const std::array<Mark, 1> mark = {{{kOpaque, "y"}}};
        if (!has_marks(xattrs, mark)) bad("the root lacks the attribute " + std::string(kOpaque));
        remove_marks(xattrs, mark);
    }

    /// An empty file with the marks of a whiteout, in a directory with those of its parent, is one.
    std::shared_ptr<Inode> read_leaf(const RawInode& raw, bool marked, bool& holds_whiteouts) {
        auto [found, fresh] = leaves_.try_emplace(raw.nid);
        Leaf& leaf = found->second;
        ++leaf.names;
        if (!fresh) return leaf.inode;
        auto inode = make_inode();
        leaf.inode = inode;
        leaf.nlink = raw.nlink;
        if (c_) inode->stated_nlink = raw.nlink;
        inode->type = raw.type;
        inode->meta = raw.meta;
        Stored xattrs = view_.attributes(raw);
        if (raw.type == FileType::Regular) {
            read_regular(raw, xattrs, *inode);
        } else if (raw.type == FileType::Symlink) {
            read_symlink(raw, *inode);
        } else if (raw.type == FileType::CharDevice || raw.type == FileType::BlockDevice) {
            inode->rdev = raw.union_field;
        }
        if (marked && raw.type == FileType::Regular && (c_ || raw.nlink == 1) &&
            inode->is_inline() && raw.size == 0 && has_marks(xattrs, kFileMarks)) {
            remove_marks(xattrs, kFileMarks);
            inode->type = FileType::CharDevice;
            holds_whiteouts = true;
        }
        set_xattrs(xattrs, inode->meta);
        return inode;
    }

    void read_regular(const RawInode& raw, Stored& xattrs, Inode& inode) {
        const Backing backing = backing_of(xattrs);
        inode.size = raw.size;
        if (backing.external != (raw.layout == kChunkBased)) {
            bad("a file's layout and its metacopy attribute do not fit");
        }
        if (!backing.external) {
            if (v2() && !c_ && raw.size > kMaxInlineV2)
                bad("a V2 file has too much inline content");
            inode.content = view_.content(raw);
            return;
        }
        if (algorithm_ && backing.digest && backing.digest->algorithm() != *algorithm_) {
            bad("an object is named by " + std::string(to_string(backing.digest->algorithm())) +
                ", expected " + std::string(to_string(*algorithm_)));
        }
        if (raw.size > kMaxFileSize) bad("a file has more than 2^53 bytes");
        inode.external = backing.digest;
        inode.nameless = backing.digest && backing.path.empty();
        if (!backing.digest || !is_object_path_of(backing.path, *backing.digest)) {
            inode.backing_path = backing.path;
        }
        std::erase_if(xattrs, [](const RawXattr& xattr) {
            return xattr.name == kMetacopy || xattr.name == kRedirect;
        });
    }

    void read_symlink(const RawInode& raw, Inode& inode) {
        if (raw.size == 0 || raw.size > (v2() && !c_ ? kMaxSymlinkV2 : kMaxSymlink)) {
            bad("a symbolic link's target has " + std::to_string(raw.size) + " bytes");
        }
        inode.content = view_.content(raw);
        inode.size = raw.size;
        if (inode.content.find('\0') != std::string::npos) bad("a link's target holds a NUL byte");
    }

    static void set_xattrs(const Stored& xattrs, Metadata& meta) {
        for (const RawXattr& xattr : xattrs) {
            std::string name = xattr.name;
            if (name.starts_with(kEscapedPrefix)) {
                name.replace(0, kEscapedPrefix.size(), kOverlayPrefix);
            } else if (name.starts_with(kOverlayPrefix)) {
                bad("attribute '" + printable(name) + "' is not escaped");
            }
            if (!meta.xattrs.try_emplace(std::move(name), xattr.value)) {
                bad("attribute '" + printable(xattr.name) + "' appears twice");
            }
        }
    }

    /// The 256 names hide the object directories; those that only do that are not the tree's.
    static void remove_stubs(Directory& root) {
        std::size_t names = 0;
        root.children.erase_if([&root, &names](const auto& child) {
            if (!is_stub_name(child.first)) return false;
            ++names;
            return !child.second.is_directory() &&
                   is_stub(root.meta, child.first, *child.second.leaf());
        });
        if (names != 256) bad("the root has " + std::to_string(names) + " of the 256 stub names");
    }

    ErofsView view_;
    const bool c_;
    const std::optional<HashAlgorithm> algorithm_;
    std::vector<Pending> pending_;
    std::unordered_set<std::uint64_t> directories_;
    std::unordered_map<std::uint64_t, Leaf> leaves_;
};

/// Adds what one file refers to.
void add_object(ErofsView& view, const RawInode& raw, std::vector<Digest>& objects) {
    const Backing backing = backing_of(view.attributes(raw));
    if (backing.digest) {
        objects.push_back(*backing.digest);
        if (is_object_path_of(backing.path, *backing.digest)) return;
    }
    if (const auto named = digest_from_object_path(backing.path)) objects.push_back(*named);
}

}  // namespace

ErofsVersion erofs_version(ByteView image) {
    return ErofsView(image).version();
}

FileTree read_erofs(ByteView image, ImageDialect dialect, std::optional<HashAlgorithm> algorithm) {
    return TreeReader(image, dialect, algorithm).run();
}

std::vector<Digest> erofs_objects(ByteView image) {
    ErofsView view(image);
    std::vector<Digest> objects;
    std::unordered_set<std::uint64_t> seen = {view.root_nid()};
    std::vector<std::uint64_t> directories = {view.root_nid()};
    while (!directories.empty()) {
        const RawInode directory = view.inode(directories.back());
        directories.pop_back();
        if (directory.type != FileType::Directory) bad("the root is no directory");
        for (const RawEntry& entry : view.entries(directory)) {
            if (!seen.insert(entry.nid).second) continue;
            const RawInode raw = view.inode(entry.nid);
            if (raw.type == FileType::Directory) directories.push_back(entry.nid);
            if (raw.type == FileType::Regular) add_object(view, raw, objects);
        }
    }
    std::sort(objects.begin(), objects.end());
    objects.erase(std::unique(objects.begin(), objects.end()), objects.end());
    return objects;
}

}  // namespace cfs::image
