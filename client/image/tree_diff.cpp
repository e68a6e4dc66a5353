// SPDX-License-Identifier: Apache-2.0
#include "client/image/tree_diff.hpp"

#include "base/bytes.hpp"

#include <sys/sysmacros.h>

#include <array>
#include <cstdio>
#include <set>
#include <unordered_map>

namespace cfs::client {
namespace {

using image::Directory;
using image::FileType;
using image::Inode;
using image::Metadata;
using image::Node;

std::string time_text(const Metadata& meta) {
    std::array<char, 48> out{};
    (void)std::snprintf(out.data(),
                        out.size(),
                        "%lld.%09u",
                        static_cast<long long>(meta.mtime_sec),
                        meta.mtime_nsec);
    return out.data();
}

/// The file's first name in the tree's order, for files with several.
class FirstNames {
 public:
    explicit FirstNames(const image::FileTree& tree) {
        tree.walk([this](const std::string& path, const Node& node) {
            if (!node.is_directory() && node.leaf().use_count() > 1)
                paths_.try_emplace(node.leaf().get(), path);
        });
    }

    /// nullopt when `path` is the first name itself.
    [[nodiscard]] std::optional<std::string> link_target(const std::string& path,
                                                         const Inode* leaf) const {
        const auto found = paths_.find(leaf);
        if (found == paths_.end() || found->second == path) return std::nullopt;
        return found->second;
    }

 private:
    std::unordered_map<const Inode*, std::string> paths_;
};

class Fields {
 public:
    using Value = std::optional<std::string>;

    void add(std::string name, Value one, Value other) {
        if (one != other) out.push_back({std::move(name), std::move(one), std::move(other)});
    }

    void add(std::string name, std::uint64_t one, std::uint64_t other) {
        if (one != other) add(std::move(name), std::to_string(one), std::to_string(other));
    }

    void add_metadata(const Metadata& one, const Metadata& other) {
        if (one == other) return;
        add("mode", octal_mode(one.mode), octal_mode(other.mode));
        add("uid", one.uid, other.uid);
        add("gid", one.gid, other.gid);
        add("mtime", time_text(one), time_text(other));
        if (one.xattrs != other.xattrs) add_xattrs(one.xattrs, other.xattrs);
    }

    void add_leaves(const Inode& one, const Inode& other) {
        add("size", one.size, other.size);
        const auto device = [](const Inode& leaf) -> Value {
            if (leaf.rdev == 0) return std::nullopt;
            return std::to_string(gnu_dev_major(leaf.rdev)) + ":" +
                   std::to_string(gnu_dev_minor(leaf.rdev));
        };
        add("device", device(one), device(other));
        const auto digest = [](const Inode& leaf) -> Value {
            if (!leaf.external) return std::nullopt;
            return leaf.external->hex();
        };
        add("digest", digest(one), digest(other));
        const auto content = [](const Inode& leaf) -> Value {
            if (leaf.content.empty()) return std::nullopt;
            return escaped(leaf.content);
        };
        const bool link = other.type == FileType::Symlink;
        add(link ? "target" : "content", content(one), content(other));
        add("payload", escaped(one.backing_path.view()), escaped(other.backing_path.view()));
    }

    std::vector<FieldChange> out;

 private:
    void add_xattrs(const image::Xattrs& one, const image::Xattrs& other) {
        std::set<std::string> names;
        for (const auto& [name, unused] : one)
            names.insert(name);
        for (const auto& [name, unused] : other)
            names.insert(name);
        const auto value = [](const image::Xattrs& xattrs, const std::string& name) -> Value {
            const auto at = xattrs.find(name);
            if (at == xattrs.end()) return std::nullopt;
            return escaped(at->second);
        };
        for (const std::string& name : names)
            add("xattr." + escaped(name), value(one, name), value(other, name));
    }
};

class Comparison {
 public:
    Comparison(const image::FileTree& one, const image::FileTree& other, bool all)
        : all_(all), first_(one), first_other_(other) {
        compare_directories(one.root(), other.root(), "");
    }

    std::vector<PathChange> out;

 private:
    void compare_directories(const Directory& one,
                             const Directory& other,
                             const std::string& path) {
        Fields fields;
        fields.add_metadata(one.meta, other.meta);
        const bool time_alone = fields.out.size() == 1 && fields.out.front().name == "mtime";
        const std::size_t at = out.size();
        keep(path.empty() ? "/" : path, FileType::Directory, 0, std::move(fields));
        const bool names_differ = compare_children(one, other, path);
        // Whoever adds or removes a name changes the directory's time.
        if (time_alone && names_differ && !all_)
            out.erase(out.begin() + static_cast<std::ptrdiff_t>(at));
    }

    /// True when one has names that the other has not.
    bool compare_children(const Directory& one, const Directory& other, const std::string& path) {
        bool names_differ = false;
        auto a = one.children.begin();
        auto b = other.children.begin();
        while (a != one.children.end() || b != other.children.end()) {
            const int order = a == one.children.end()     ? 1
                              : b == other.children.end() ? -1
                                                          : a->first.compare(b->first);
            const std::string at = path + "/" + (order <= 0 ? a->first : b->first);
            names_differ = names_differ || order != 0;
            if (order < 0) {
                list((a++)->second, at, Change::Removed);
            } else if (order > 0) {
                list((b++)->second, at, Change::Added);
            } else {
                compare((a++)->second, (b++)->second, at);
            }
        }
        return names_differ;
    }

    void compare(const Node& one, const Node& other, const std::string& path) {
        if (one.is_directory() != other.is_directory()) {
            list(one, path, Change::Removed);
            list(other, path, Change::Added);
            return;
        }
        if (one.is_directory()) {
            compare_directories(*one.directory(), *other.directory(), path);
            return;
        }
        Fields fields;
        compare_leaves(one, other, path, fields);
        keep(path, other.type(), other.leaf()->size, std::move(fields));
    }

    void compare_leaves(const Node& one,
                        const Node& other,
                        const std::string& path,
                        Fields& fields) const {
        const auto link = first_.link_target(path, one.leaf().get());
        const auto other_link = first_other_.link_target(path, other.leaf().get());
        // In a dump a further name is a line that says nothing but whose name it is.
        if (link && link == other_link) return;
        const auto shown = [](const std::optional<std::string>& text) {
            return text ? std::optional(escaped(*text)) : std::nullopt;
        };
        fields.add("link to", shown(link), shown(other_link));
        if (one.type() != other.type()) {
            fields.add("type",
                       std::string(image::to_string(one.type())),
                       std::string(image::to_string(other.type())));
        }
        fields.add("names",
                   static_cast<std::uint64_t>(one.leaf().use_count()),
                   static_cast<std::uint64_t>(other.leaf().use_count()));
        fields.add_leaves(*one.leaf(), *other.leaf());
        fields.add_metadata(one.meta(), other.meta());
    }

    void list(const Node& node, const std::string& path, Change change) {
        PathChange entry;
        entry.change = change;
        entry.path = path;
        entry.type = node.type();
        if (!node.is_directory()) entry.size = node.leaf()->size;
        out.push_back(std::move(entry));
        if (!node.is_directory()) return;
        for (const auto& [name, child] : node.directory()->children)
            list(child, path + "/" + name, change);
    }

    void keep(const std::string& path, FileType type, std::uint64_t size, Fields fields) {
        if (fields.out.empty()) return;
        out.push_back({Change::Changed, path, type, size, std::move(fields.out)});
    }

    const bool all_;
    FirstNames first_, first_other_;
};

}  // namespace

std::vector<PathChange> compare_trees(const image::FileTree& one,
                                      const image::FileTree& other,
                                      bool all) {
    return std::move(Comparison(one, other, all).out);
}

std::string escaped(std::string_view raw) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    static constexpr std::string_view kShort = "\\\n\r\t";
    static constexpr std::string_view kLetters = "\\nrt";
    std::string out;
    out.reserve(raw.size());
    for (const char c : raw) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (const std::size_t at = kShort.find(c); at != std::string_view::npos) {
            out += '\\';
            out += kLetters[at];
        } else if (byte > 0x20 && byte < 0x7f) {
            out += c;
        } else {
            out += "\\x";
            out += kHex[byte >> 4U];
            out += kHex[byte & 0xfU];
        }
    }
    return out;
}

std::string octal_mode(std::uint32_t mode) {
    std::array<char, 16> out{};
    (void)std::snprintf(out.data(), out.size(), "%04o", mode);
    return out.data();
}

}  // namespace cfs::client
