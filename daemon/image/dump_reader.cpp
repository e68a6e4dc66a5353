// SPDX-License-Identifier: Apache-2.0
#include "image/dump_reader.hpp"

#include "base/error.hpp"
#include "image/dump_links.hpp"
#include "image/dump_stream.hpp"
#include "image/erofs_format.hpp"
#include "image/text_arena.hpp"

#include <algorithm>
#include <unordered_map>

namespace cfs::image {
namespace {

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

/// Puts what the lines say into a tree.
class TreeBuilder {
 public:
    explicit TreeBuilder(DumpDialect dialect) : c_(dialect != DumpDialect::Rust) {}

    FileTree run(DumpStream& stream) {
        while (Batch* batch = stream.next()) {
            for (Record& record : batch->records) {
                ++number_;
                try {
                    add(record);
                } catch (const LineError& error) {
                    fail(record.line, error);
                }
            }
            if (batch->error) {
                ++number_;
                fail(batch->error_line, *batch->error);
            }
        }
        if (number_ == 0) {
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

    void add(Record& record) {
        if (number_ == 1) {
            tree_.root().meta = std::move(record.directory->meta);
            directories_.emplace("", &tree_.root());
            last_parent_ = &tree_.root();
            return;
        }
        if (record.path == "/") bad_field(record.line, "a second root");
        const auto [parent_at, path] = place_of(record);
        Directory& parent = *parent_at;
        const std::string_view name = path.substr(path.rfind('/') + 1);
        if (record.leaf != nullptr) {
            if (record.leaf->is_whiteout()) check_whiteout(record, parent);
            put(record, parent, name, Node(std::move(record.leaf)));
        } else if (record.directory != nullptr) {
            put_directory(record, parent, name, path);
        } else {
            put_link(record, parent, name, path);
        }
    }

    struct Place {
        Directory* parent;
        std::string_view path;  ///< with one slash before each component
    };

    /// A path whose parent is known as it is spelled needs no search for slashes in a row.
    Place place_of(const Record& record) {
        std::string_view path = record.path;
        if (path.size() > kMaxPath) {
            bad_field(record.line,
                      "PATH has " + std::to_string(path.size()) + " bytes, expected at most " +
                          std::to_string(kMaxPath));
        }
        Directory* parent = parent_of(path);
        if (parent == nullptr) {
            path = canonical(path);
            if (path.front() != '/') bad_field(record.line, "PATH is not absolute");
            parent = parent_of(path);
        }
        const std::string_view name = path.substr(path.rfind('/') + 1);
        if (name.empty() || name == "." || name == ".." || name.size() > kMaxName) {
            bad_field(record.line,
                      "the name '" + printable(name) + "' is empty, dots or longer than " +
                          std::to_string(kMaxName) + " bytes");
        }
        if (parent == nullptr) {
            bad_field(record.line,
                      "parent '" + printable(path.substr(0, path.rfind('/'))) +
                          "' is no directory of an earlier line",
                      "Every directory needs a line of its own before those of its content.");
        }
        return {parent, path};
    }

    /// composefs-rs wants one slash before each component; the C tool wants no slash at the end and
    /// takes the rest as it comes.
    std::string_view canonical(std::string_view path) {
        if (!c_ || (path.front() == '/' && path.find("//") == path.npos)) return path;
        canonical_ = path.front() == '/' ? "" : "/";
        char last = '\0';
        for (const char c : path) {
            if (c != '/' || last != '/') canonical_ += c;
            last = c;
        }
        return canonical_;
    }

    /// nullptr when no earlier line named it, spelled like that.
    Directory* parent_of(std::string_view path) {
        const auto slash = path.rfind('/');
        if (slash == path.npos) return nullptr;
        const std::string_view parent = path.substr(0, slash);
        if (parent == last_parent_path_) return last_parent_;
        const auto found = directories_.find(parent);
        if (found == directories_.end()) return nullptr;
        last_parent_path_ = found->first;
        last_parent_ = found->second;
        return last_parent_;
    }

    static Node& put(const Record& record, Directory& parent, std::string_view name, Node node) {
        const auto [at, fresh] = parent.children.try_emplace(name, std::move(node));
        if (!fresh) bad_field(record.line, "the path appears twice");
        return at->second;
    }

    void put_directory(Record& record,
                       Directory& parent,
                       std::string_view name,
                       std::string_view path) {
        // All leaves of so deep a tree have paths that are too long.
        if (static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) > kMaxDepth) {
            bad_field(record.line, "directories are nested too deeply");
        }
        Directory* directory = record.directory.get();
        put(record, parent, name, Node(std::move(record.directory)));
        directories_.emplace(paths_.keep(path), directory);
    }

    void put_link(const Record& record,
                  Directory& parent,
                  std::string_view name,
                  std::string_view path) {
        const std::string_view field = record.line.substr(record.payload_column);
        if (c_) {
            put(record, parent, name, Node(std::shared_ptr<Inode>(), true));
            links_.add(parent,
                       std::string(name),
                       std::string(record.target),
                       {number_, record.payload_column + 1, std::string(path)});
            return;
        }
        const Node* node = tree_.lookup(record.target);
        if (node == nullptr || node->is_directory()) {
            bad_field(field,
                      "hard link target '" + printable(record.target) +
                          "' is no file of an earlier line");
        }
        if (node->leaf()->is_whiteout()) bad_field(field, "a whiteout cannot be hard-linked");
        put(record, parent, name, Node(node->leaf(), true));
    }

    static void check_whiteout(const Record& record, const Directory& parent) {
        using namespace erofs;
        const Xattrs& own = record.leaf->meta.xattrs;
        if (marks_overflow(own, "trusted.overlay.whiteout", kUserWhiteoutMark) ||
            marks_overflow(parent.meta.xattrs, "trusted.overlay.whiteouts", kUserWhiteoutsMark)) {
            bad_field(
                record.line.substr(record.mode_column),
                "this whiteout or its directory has an attribute that marks whiteouts itself, "
                "with a value that is too long",
                "Remove the attributes trusted.overlay.* and user.overlay.* there.");
        }
    }

    const bool c_;
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
    DumpStream stream(text, dialect, algorithm);
    return TreeBuilder(dialect).run(stream);
}

FileTree read_dump(ByteView text, DumpDialect dialect, HashAlgorithm algorithm) {
    MemorySource source(text);
    return read_dump(source, dialect, algorithm);
}

}  // namespace cfs::image
