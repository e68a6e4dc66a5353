// SPDX-License-Identifier: Apache-2.0
#include "image/dump_reader.hpp"

#include "base/error.hpp"
#include "image/dump_line.hpp"
#include "image/dump_lines.hpp"
#include "image/dump_links.hpp"
#include "image/erofs_format.hpp"
#include "image/text_arena.hpp"

#include <algorithm>
#include <unordered_map>

namespace cfs::image {
namespace {

constexpr std::size_t kMaxSymlinkRust = 1024;

/// libcomposefs counts what a node's attributes take, but from zero once it adds its marks; one
/// that replaces a longer value of the tree then takes the counter below zero, which it refuses.
/// The marks are those of every version; the ones of V1 are the writer's business.
bool marks_overflow(const Xattrs& own, std::string_view trusted, std::string_view user) {
    std::size_t counted = 0;
    if (const auto old = own.find(trusted); old != own.end() && own.size() > 1) {
        if (!old->second.empty()) return true;
    } else {
        constexpr std::size_t kEscape = 8;  // "overlay." is put in
        counted = 7 + kEscape + trusted.size();
    }
    const auto old = own.find(user);
    return old != own.end() && old->second.size() > counted;
}

class DumpReader {
 public:
    DumpReader(DumpDialect dialect, HashAlgorithm algorithm) : fields_(dialect, algorithm) {}

    FileTree run(Source& source) {
        LineSource lines(source);
        std::string_view line;
        while (lines.next(line, ++number_)) {
            try {
                if (!lines.terminated() && fields_.strict()) {
                    bad_field(line.substr(line.size()), "the last line has no line feed");
                }
                read_line(line);
            } catch (const LineError& error) {
                fail(line, error);
            }
        }
        if (number_ == 1) {
            throw Error(ErrorCode::BadFormat,
                        "dump line 1, column 1: the dump is empty, expected a line for '/'");
        }
        links_.resolve(tree_);
        return std::move(tree_);
    }

 private:
    [[noreturn]] void fail(std::string_view line, const LineError& error) const {
        throw Error(ErrorCode::BadFormat,
                    "dump line " + std::to_string(number_) + ", column " +
                        std::to_string(error.at - line.data() + 1) + " ('" +
                        printable(line.substr(0, line.find(' '))) + "'): " + error.what,
                    error.hint);
    }

    void read_line(std::string_view text) {
        const Line line = fields_.split(text);
        std::string_view path = fields_.path(line.path);
        if (path.empty()) bad_field(line.path, "PATH is empty");
        if (number_ == 1) return read_root(path, line);
        if (path == "/") bad_field(line.path, "a second root");
        path = canonical(path, line.path);
        Directory& parent = parent_of(path, line.path);
        const std::string_view name = path.substr(path.rfind('/') + 1);
        if (line.mode.starts_with('@')) {
            read_link(line, parent, name, path);
            return;
        }
        const std::uint32_t mode = fields_.mode(line.mode);
        const FileType type = *file_type_from_mode(mode);
        if (type == FileType::Directory) {
            read_directory(line, mode, parent, name, path);
        } else {
            put(line, parent, name, Node(read_leaf(line, mode, type, parent)));
        }
    }

    void read_root(std::string_view path, const Line& line) {
        if (path != "/") {
            bad_field(line.path, "the first line is for '" + printable(path) + "', expected '/'");
        }
        const std::uint32_t mode = line.mode.starts_with('@') ? 0 : fields_.mode(line.mode);
        if (file_type_from_mode(mode) != FileType::Directory) {
            bad_field(line.mode,
                      "the root's MODE is " + printable(line.mode) + ", expected a directory's");
        }
        check_directory(line);
        tree_.root().meta = fields_.metadata(line, mode);
        directories_.emplace("", &tree_.root());
        last_parent_ = &tree_.root();
    }

    /// With one slash before each component. composefs-rs wants that; the C tool wants no slash at
    /// the end and takes the rest as it comes.
    std::string_view canonical(std::string_view path, std::string_view field) {
        if (path.size() > kMaxPath) {
            bad_field(field,
                      "PATH has " + std::to_string(path.size()) + " bytes, expected at most " +
                          std::to_string(kMaxPath));
        }
        if (fields_.c() && (path.front() != '/' || path.find("//") != path.npos)) {
            canonical_.clear();
            char last = '/';
            if (path.front() != '/') canonical_ = "/";
            for (const char c : path) {
                if (c != '/' || last != '/' || canonical_.empty()) canonical_ += c;
                last = c;
            }
            path = canonical_;
        }
        if (path.front() != '/') bad_field(field, "PATH is not absolute");
        const std::string_view name = path.substr(path.rfind('/') + 1);
        if (name.empty() || name == "." || name == ".." || name.size() > kMaxName) {
            bad_field(field,
                      "the name '" + printable(name) + "' is empty, dots or longer than " +
                          std::to_string(kMaxName) + " bytes");
        }
        return path;
    }

    Directory& parent_of(std::string_view path, std::string_view field) {
        const std::string_view parent = path.substr(0, path.rfind('/'));
        if (parent == last_parent_path_) return *last_parent_;
        const auto found = directories_.find(parent);
        if (found == directories_.end()) {
            bad_field(field,
                      "parent '" + printable(parent) + "' is no directory of an earlier line",
                      "Every directory needs a line of its own before those of its content.");
        }
        last_parent_path_ = found->first;
        last_parent_ = found->second;
        return *last_parent_;
    }

    /// Lines mostly come in the order of their names.
    static Node& put(const Line& line, Directory& parent, std::string_view name, Node node) {
        auto& children = parent.children;
        if (children.empty() || std::prev(children.end())->first < name) {
            return children.emplace_hint(children.end(), std::string(name), std::move(node))
                ->second;
        }
        const auto [at, fresh] = children.try_emplace(std::string(name), std::move(node));
        if (!fresh) bad_field(line.path, "the path appears twice");
        return at->second;
    }

    void read_directory(const Line& line,
                        std::uint32_t mode,
                        Directory& parent,
                        std::string_view name,
                        std::string_view path) {
        check_directory(line);
        auto directory = std::make_unique<Directory>();
        directory->meta = fields_.metadata(line, mode);
        const Node& node = put(line, parent, name, Node(std::move(directory)));
        // All leaves of so deep a tree have paths that are too long.
        if (static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) > kMaxDepth) {
            bad_field(line.path, "directories are nested too deeply");
        }
        directories_.emplace(paths_.keep(path), node.directory());
    }

    /// What is not used has to be well-formed all the same.
    void check_directory(const Line& line) {
        const std::uint64_t size = fields_.number64(line.size, "SIZE");
        (void)fields_.number32(line.nlink, "NLINK");
        check_no_device(line);
        if (!fields_.c()) return;
        (void)fields_.payload(line.payload);
        (void)fields_.content(line.content, size);
    }

    void check_no_device(const Line& line) const {
        const std::uint32_t rdev = fields_.number32(line.rdev, "RDEV");
        if (rdev != 0 && (!fields_.c() || fields_.strict())) {
            bad_field(line.rdev,
                      "RDEV is " + printable(line.rdev) + ", expected 0 for what is no device");
        }
    }

    void read_link(const Line& line,
                   Directory& parent,
                   std::string_view name,
                   std::string_view path) {
        const std::uint32_t mode = fields_.mode(line.mode.substr(1));
        if (file_type_from_mode(mode) == FileType::Directory) {
            bad_field(line.mode, "MODE " + printable(line.mode) + " cannot be hard-linked");
        }
        const std::string target(fields_.payload(line.payload));
        if (target.empty()) bad_field(line.payload, "PAYLOAD names no target of the hard link");
        if (fields_.c()) {
            Node& node = put(line, parent, name, Node(std::shared_ptr<Inode>(), true));
            const auto column =
                static_cast<std::size_t>(line.payload.data() - line.path.data()) + 1;
            links_.add(node, target, {number_, column, std::string(path)});
            return;
        }
        if (!target.starts_with('/')) bad_field(line.payload, "PAYLOAD is no absolute path");
        const Node* node = tree_.lookup(target);
        if (node == nullptr || node->is_directory()) {
            bad_field(line.payload,
                      "hard link target '" + printable(target) + "' is no file of an earlier line");
        }
        if (node->leaf()->is_whiteout())
            bad_field(line.payload, "a whiteout cannot be hard-linked");
        put(line, parent, name, Node(node->leaf(), true));
    }

    std::shared_ptr<Inode> read_leaf(const Line& line,
                                     std::uint32_t mode,
                                     FileType type,
                                     const Directory& parent) {
        auto leaf = std::make_shared<Inode>();
        leaf->type = type;
        leaf->meta = fields_.metadata(line, mode);
        leaf->size = fields_.number64(line.size, "SIZE");
        const std::uint32_t nlink = fields_.number32(line.nlink, "NLINK");
        if (fields_.c()) leaf->stated_nlink = nlink;
        switch (type) {
            case FileType::Regular:
                check_no_device(line);
                read_regular(line, *leaf);
                break;
            case FileType::Symlink:
                check_no_device(line);
                read_symlink(line, *leaf);
                break;
            default:
                read_special(line, *leaf, parent);
        }
        return leaf;
    }

    void read_special(const Line& line, Inode& leaf, const Directory& parent) {
        if (fields_.c()) {
            (void)fields_.payload(line.payload);
            (void)fields_.content(line.content, leaf.size);
        } else {
            leaf.size = 0;
        }
        if (leaf.type != FileType::CharDevice && leaf.type != FileType::BlockDevice) {
            return check_no_device(line);
        }
        leaf.rdev = fields_.number32(line.rdev, "RDEV");
        if (!leaf.is_whiteout()) return;
        using namespace erofs;
        if (marks_overflow(leaf.meta.xattrs, "trusted.overlay.whiteout", kUserWhiteoutMark) ||
            marks_overflow(parent.meta.xattrs, "trusted.overlay.whiteouts", kUserWhiteoutsMark)) {
            bad_field(
                line.mode,
                "this whiteout or its directory has an attribute that marks whiteouts itself, "
                "with a value that is too long",
                "Remove the attributes trusted.overlay.* and user.overlay.* there.");
        }
    }

    void read_symlink(const Line& line, Inode& leaf) {
        const std::string_view target = fields_.payload(line.payload);
        const std::size_t limit = fields_.c() ? kMaxSymlink : kMaxSymlinkRust;
        if (target.empty() || target.size() > limit) {
            bad_field(line.payload,
                      "PAYLOAD, the link's target, has " + std::to_string(target.size()) +
                          " bytes, expected 1 to " + std::to_string(limit));
        }
        leaf.content = target;
        if (fields_.c()) {
            const bool content = fields_.content(line.content, leaf.size).has_value();
            if (fields_.strict() && content) {
                bad_field(line.content, "a symbolic link has CONTENT");
            }
            if (fields_.strict() && leaf.size != target.size()) {
                bad_field(line.size,
                          "SIZE is " + printable(line.size) + ", expected the target's length, " +
                              std::to_string(target.size()));
            }
        }
        leaf.size = target.size();
    }

    void read_regular(const Line& line, Inode& leaf) {
        if (leaf.size > erofs::kMaxFileSize) {
            bad_field(line.size,
                      "SIZE is " + printable(line.size) + ", expected at most 2^53 bytes");
        }
        const std::string_view payload = fields_.payload(line.payload);
        if (!fields_.c()) return read_regular_rust(line, payload, leaf);
        if (auto content = fields_.content(line.content, leaf.size)) {
            leaf.content = std::move(*content);
        } else if (leaf.size > 0) {
            leaf.external = fields_.digest(line.digest);
            leaf.nameless = leaf.external && payload.empty();
            const bool implied = leaf.external && is_object_path_of(payload, *leaf.external);
            if (!implied) leaf.backing_path = payload;
        }
    }

    /// A payload makes the file external, whatever else is given.
    void read_regular_rust(const Line& line, std::string_view payload, Inode& leaf) {
        if (!payload.empty()) {
            leaf.external = fields_.digest(line.digest);
            if (leaf.external) return;
            if (!fields_.is_object_path(payload)) {
                bad_field(line.payload, "PAYLOAD '" + printable(payload) + "' is no object's path");
            }
            leaf.backing_path = payload;
            return;
        }
        if (line.digest != "-") bad_field(line.digest, "DIGEST is given without PAYLOAD");
        if (auto content = fields_.content(line.content, leaf.size)) {
            leaf.content = std::move(*content);
        }
    }

    LineReader fields_;
    FileTree tree_;
    std::size_t number_ = 0;
    TextArena paths_;
    std::unordered_map<std::string_view, Directory*> directories_;
    std::string_view last_parent_path_;
    Directory* last_parent_ = nullptr;
    std::string canonical_;
    PendingLinks links_;
};

}  // namespace

FileTree read_dump(Source& text, DumpDialect dialect, HashAlgorithm algorithm) {
    return DumpReader(dialect, algorithm).run(text);
}

FileTree read_dump(ByteView text, DumpDialect dialect, HashAlgorithm algorithm) {
    MemorySource source(text);
    return read_dump(source, dialect, algorithm);
}

}  // namespace cfs::image
