// SPDX-License-Identifier: Apache-2.0
#include "image/dump_reader.hpp"

#include "base/error.hpp"
#include "image/dump_fields.hpp"

#include <algorithm>
#include <charconv>

namespace cfs::image {
namespace {

constexpr std::size_t kMaxDumpInline = 512;
constexpr std::size_t kMaxDumpSymlink = 1024;

[[noreturn]] void bad(const std::string& what, std::string hint = {}) {
    throw Error(ErrorCode::BadFormat, what, std::move(hint));
}

template <typename T>
T number(std::string_view text, std::string_view field, int base = 10) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size() || text.starts_with('-')) {
        bad(std::string(field) + " is '" + printable(text) + "', expected an unsigned " +
            (base == 8 ? "octal" : "decimal") + " number of " + std::to_string(sizeof(T) * 8) +
            " bits");
    }
    return value;
}

/// The eleven fixed fields, still escaped.
struct Line {
    std::string_view path, size, mode, nlink, uid, gid, rdev, mtime, payload, content, digest;
    std::string_view xattrs;
};

std::string_view cut(std::string_view& rest, std::string_view field) {
    if (rest.empty()) bad("field " + std::string(field) + " is missing");
    const auto end = std::min(rest.find(' '), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return text;
}

Line split(std::string_view rest) {
    Line line;
    line.path = cut(rest, "PATH");
    line.size = cut(rest, "SIZE");
    line.mode = cut(rest, "MODE");
    line.nlink = cut(rest, "NLINK");
    line.uid = cut(rest, "UID");
    line.gid = cut(rest, "GID");
    line.rdev = cut(rest, "RDEV");
    line.mtime = cut(rest, "MTIME");
    line.payload = cut(rest, "PAYLOAD");
    line.content = cut(rest, "CONTENT");
    line.digest = cut(rest, "DIGEST");
    line.xattrs = rest;
    return line;
}

/// Unescaped value of a field that may be "-" for none.
std::string optional_field(std::string_view text, std::size_t limit, std::string_view field) {
    if (text == "-") return {};
    std::string value = unescape(text);
    if (value.size() > limit) {
        bad(std::string(field) + " has " + std::to_string(value.size()) +
            " bytes, expected at most " + std::to_string(limit));
    }
    return value;
}

void check_text(std::string_view value, std::string_view field) {
    if (value.find('\0') != value.npos) bad(std::string(field) + " holds a NUL byte");
}

void read_xattrs(std::string_view rest, Xattrs& xattrs) {
    if (rest.ends_with(' ')) rest.remove_suffix(1);
    while (!rest.empty()) {
        const std::string_view pair = cut(rest, "KEY=VALUE");
        const auto equals = pair.find('=');
        if (equals == pair.npos) bad("attribute '" + printable(pair) + "' has no '='");
        std::string name = unescape(pair.substr(0, equals));
        std::string value = unescape(pair.substr(equals + 1));
        check_text(name, "an attribute's name");
        if (name.empty() || name.size() > kMaxXattrName || value.size() > kMaxXattrValue) {
            bad("attribute '" + printable(name) + "' has a name of " + std::to_string(name.size()) +
                " and a value of " + std::to_string(value.size()) +
                " bytes, expected 1 to 255 and at most 65535");
        }
        xattrs.insert_or_assign(std::move(name), std::move(value));
    }
}

Metadata read_metadata(const Line& line, std::uint32_t mode) {
    Metadata meta;
    meta.mode = mode & 07777;
    (void)number<std::uint64_t>(line.nlink, "NLINK");
    meta.uid = number<std::uint32_t>(line.uid, "UID");
    meta.gid = number<std::uint32_t>(line.gid, "GID");
    const auto dot = line.mtime.find('.');
    if (dot == line.mtime.npos) bad("MTIME is '" + printable(line.mtime) + "', expected SEC.NSEC");
    const auto sec = number<std::uint64_t>(line.mtime.substr(0, dot), "MTIME's seconds");
    if (sec > INT64_MAX) bad("MTIME is '" + printable(line.mtime) + "', beyond 63 bits");
    meta.mtime_sec = static_cast<std::int64_t>(sec);
    meta.mtime_nsec = number<std::uint32_t>(line.mtime.substr(dot + 1), "MTIME's nanoseconds");
    read_xattrs(line.xattrs, meta.xattrs);
    return meta;
}

class DumpReader {
 public:
    explicit DumpReader(HashAlgorithm algorithm) : algorithm_(algorithm) {}

    FileTree run(std::string_view text) {
        while (!text.empty()) {
            ++number_;
            const auto end = std::min(text.find('\n'), text.size());
            const std::string_view line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            with_context("dump line " + std::to_string(number_) + " ('" +
                             printable(line.substr(0, line.find(' '))) + "')",
                         [&] { read_line(line); });
        }
        if (number_ == 0) bad("the dump is empty, expected a line for '/'");
        return std::move(tree_);
    }

 private:
    void read_line(std::string_view text) {
        if (text.find('\0') != text.npos) bad("the line holds a NUL byte");
        const Line line = split(text);
        const std::string path = unescape(line.path);
        if (number_ == 1) return read_root(path, line);
        const auto [parent, name] = find_parent(path);
        if (parent->find(name) != nullptr) bad("the path appears twice");
        if (line.mode.starts_with('@')) {
            parent->put(std::string(name), read_link(line));
            return;
        }
        const auto mode = number<std::uint32_t>(line.mode, "MODE", 8);
        const auto type = file_type_from_mode(mode);
        if (!type || mode > 0177777) bad("MODE is " + printable(line.mode) + ", an unknown type");
        parent->put(std::string(name),
                    *type == FileType::Directory ? read_directory(line, mode)
                                                 : Node(read_leaf(line, mode, *type)));
    }

    void read_root(std::string_view path, const Line& line) {
        if (path != "/") bad("the first line is for '" + printable(path) + "', expected '/'");
        const auto mode =
            line.mode.starts_with('@') ? 0 : number<std::uint32_t>(line.mode, "MODE", 8);
        if (file_type_from_mode(mode) != FileType::Directory || mode > 0177777) {
            bad("the root's MODE is " + printable(line.mode) + ", expected a directory's");
        }
        tree_.root().meta = read_metadata(line, mode);
    }

    /// Walks to the directory that `path` lies in.
    std::pair<Directory*, std::string_view> find_parent(std::string_view path) {
        check_text(path, "PATH");
        if (!path.starts_with('/') || path.size() > kMaxPath) {
            bad("PATH is not absolute, or longer than " + std::to_string(kMaxPath) + " bytes");
        }
        Directory* parent = &tree_.root();
        for (path.remove_prefix(1);;) {
            const auto slash = path.find('/');
            const std::string_view name = path.substr(0, slash);
            if (name.empty() || name == "." || name == ".." || name.size() > kMaxName) {
                bad("component '" + printable(name) + "' is empty, dots or longer than 255 bytes");
            }
            if (slash == path.npos) return {parent, name};
            const Node* node = parent->find(name);
            if (node == nullptr || !node->is_directory()) {
                bad("parent '" + printable(name) + "' is no directory of an earlier line");
            }
            parent = node->directory();
            path.remove_prefix(slash + 1);
        }
    }

    Node read_link(const Line& line) {
        const auto mode = number<std::uint32_t>(line.mode.substr(1), "MODE", 8);
        if (file_type_from_mode(mode).value_or(FileType::Directory) == FileType::Directory) {
            bad("MODE " + printable(line.mode) + " is no type that can be hard-linked");
        }
        const std::string target = optional_field(line.payload, kMaxPath, "PAYLOAD");
        if (!target.starts_with('/')) bad("PAYLOAD is not the absolute path of the link's target");
        const Node* node = tree_.lookup(target);
        if (node == nullptr || node->is_directory()) {
            bad("hard link target '" + printable(target) + "' is no file of an earlier line");
        }
        if (node->leaf()->is_whiteout()) bad("a whiteout cannot be hard-linked");
        return Node(node->leaf());
    }

    static Node read_directory(const Line& line, std::uint32_t mode) {
        check_no_device(line);
        auto directory = std::make_unique<Directory>();
        directory->meta = read_metadata(line, mode);
        return Node(std::move(directory));
    }

    static void check_no_device(const Line& line) {
        if (number<std::uint32_t>(line.rdev, "RDEV") != 0) {
            bad("RDEV is " + printable(line.rdev) + ", expected 0 for what is no device");
        }
    }

    std::shared_ptr<Inode> read_leaf(const Line& line, std::uint32_t mode, FileType type) const {
        auto leaf = std::make_shared<Inode>();
        leaf->type = type;
        leaf->meta = read_metadata(line, mode);
        const auto size = number<std::uint64_t>(line.size, "SIZE");
        if (type == FileType::CharDevice || type == FileType::BlockDevice) {
            leaf->rdev = number<std::uint32_t>(line.rdev, "RDEV");
            return leaf;
        }
        check_no_device(line);
        if (type == FileType::Regular) read_regular(line, size, *leaf);
        if (type == FileType::Symlink) {
            leaf->content = optional_field(line.payload, kMaxDumpSymlink, "PAYLOAD");
            check_text(leaf->content, "PAYLOAD");
            if (leaf->content.empty()) bad("PAYLOAD is empty, expected the link's target");
            leaf->size = leaf->content.size();
        }
        return leaf;
    }

    /// A payload makes the file external, whatever else is given.
    void read_regular(const Line& line, std::uint64_t size, Inode& leaf) const {
        leaf.size = size;
        const std::string payload = optional_field(line.payload, kMaxPath, "PAYLOAD");
        if (!payload.empty()) {
            leaf.external = read_digest(line.digest);
            if (leaf.external) return;
            const auto implied = digest_from_object_path(payload);
            if (!implied || implied->algorithm() != algorithm_) {
                bad("PAYLOAD '" + printable(payload) + "' is no object path of " +
                    std::string(to_string(algorithm_)));
            }
            leaf.backing_path = payload;
            return;
        }
        if (line.digest != "-") bad("DIGEST is given without PAYLOAD");
        if (line.content == "-") return;
        leaf.content = optional_field(line.content, kMaxDumpInline, "CONTENT");
        if (leaf.content.size() != size) {
            bad("CONTENT has " + std::to_string(leaf.content.size()) + " bytes, expected SIZE " +
                std::to_string(size));
        }
    }

    std::optional<Digest> read_digest(std::string_view text) const {
        if (text == "-") return std::nullopt;
        const auto digest = Digest::from_hex(text);
        if (!digest || digest->algorithm() != algorithm_) {
            bad("DIGEST '" + printable(text) + "' is no " + std::string(to_string(algorithm_)) +
                " digest");
        }
        return digest;
    }

    const HashAlgorithm algorithm_;
    FileTree tree_;
    std::size_t number_ = 0;
};

}  // namespace

FileTree read_dump(ByteView text, DumpDialect dialect, HashAlgorithm algorithm) {
    switch (dialect) {
        case DumpDialect::Rust:
            return DumpReader(algorithm).run(as_text(text));
        case DumpDialect::C:
        case DumpDialect::CStrict:
            break;
    }
    throw Error(ErrorCode::Unsupported, "the C tool's dialect of dumps is not read yet");
}

FileTree read_dump(Source& text, DumpDialect dialect, HashAlgorithm algorithm) {
    constexpr std::size_t kMaxDump = std::size_t{1} << 30;
    MemorySink all(kMaxDump);
    copy_stream(text, all);
    return read_dump(all.bytes(), dialect, algorithm);
}

}  // namespace cfs::image
