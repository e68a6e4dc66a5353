// SPDX-License-Identifier: Apache-2.0
#include "image/dump.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>

namespace cfs::image {
namespace {

enum Rank : std::size_t { kContent, kPresence, kOwner, kAttributes, kTimes, kRanks };

std::string in_quotes(std::string_view text) {
    return "'" + printable(text, 80) + "'";
}

std::string shown(std::string_view path) {
    return printable(path, kMaxPath);
}

std::string octal(std::uint32_t mode) {
    std::array<char, 16> text{};
    (void)std::snprintf(text.data(), text.size(), "%04o", mode);
    return text.data();
}

std::string time_text(const Metadata& meta) {
    std::array<char, 48> text{};
    (void)std::snprintf(text.data(),
                        text.size(),
                        "%lld.%09u",
                        static_cast<long long>(meta.mtime_sec),
                        meta.mtime_nsec);
    return text.data();
}

std::string content_text(const Inode& leaf) {
    if (leaf.type == FileType::Symlink) return in_quotes(leaf.content);
    std::string text = std::to_string(leaf.size) + " bytes";
    if (leaf.external) return text + " of object " + leaf.external->hex().substr(0, 16);
    return leaf.is_inline() ? text + " " + in_quotes(leaf.content) : text + " outside";
}

std::size_t count_below(const Node& node) {
    std::size_t count = 0;
    std::vector<const Directory*> pending;
    if (node.is_directory()) pending.push_back(node.directory());
    while (!pending.empty()) {
        const Directory* directory = pending.back();
        pending.pop_back();
        count += directory->children.size();
        for (const auto& [name, child] : directory->children) {
            if (child.is_directory()) pending.push_back(child.directory());
        }
    }
    return count;
}

std::string node_text(const Node& node) {
    std::string text(to_string(node.type()));
    const std::size_t below = count_below(node);
    if (below > 0) text += " with " + std::to_string(below) + " entries below";
    if (node.type() == FileType::Regular || node.type() == FileType::Symlink) {
        text += ", " + content_text(*node.leaf());
    }
    return text;
}

/// The fields of one path that differ, and the weightiest of them.
class Line {
 public:
    void add(Rank rank,
             std::string_view field,
             const std::string& expected,
             const std::string& found) {
        if (expected == found) return;
        rank_ = std::min(rank_, rank);
        if (!text_.empty()) text_ += "; ";
        text_.append(field) += " expected " + expected + ", found " + found;
    }

    void add_metadata(const Metadata& expected, const Metadata& found) {
        if (expected == found) return;
        add(kOwner, "mode", octal(expected.mode), octal(found.mode));
        add(kOwner, "uid", std::to_string(expected.uid), std::to_string(found.uid));
        add(kOwner, "gid", std::to_string(expected.gid), std::to_string(found.gid));
        if (expected.xattrs != found.xattrs) add_xattrs(expected.xattrs, found.xattrs);
        add(kTimes, "mtime", time_text(expected), time_text(found));
    }

    [[nodiscard]] Rank rank() const { return rank_; }

    [[nodiscard]] const std::string& text() const { return text_; }

 private:
    void add_xattrs(const Xattrs& expected, const Xattrs& found) {
        const auto value = [](const Xattrs& xattrs, const std::string& name) {
            const auto at = xattrs.find(name);
            return at == xattrs.end() ? std::string("none") : in_quotes(at->second);
        };
        Xattrs names = expected;
        for (const auto& [name, added] : found)
            names.try_emplace(name, added);
        for (const auto& [name, unused] : names) {
            const std::string field = "xattr " + printable(name, 80);
            const auto one = expected.find(name);
            const auto other = found.find(name);
            const bool same =
                one != expected.end() && other != found.end() && one->second == other->second;
            if (!same) add(kAttributes, field, value(expected, name), value(found, name));
        }
    }

    Rank rank_ = kRanks;
    std::string text_;
};

class Comparison {
 public:
    explicit Comparison(std::size_t max_lines) : max_lines_(max_lines) {}

    std::string run(const FileTree& expected, const FileTree& found) {
        Line root;
        root.add_metadata(expected.root().meta, found.root().meta);
        keep("/", root);
        compare(expected, found);
        return text();
    }

 private:
    /// Two directories of one path, and how far they are compared.
    struct Level {
        const Directory& expected;
        const Directory& found;
        Directory::Children::const_iterator one = expected.children.begin();
        Directory::Children::const_iterator other = found.children.begin();
        std::size_t path_size = 0;

        [[nodiscard]] bool done() const {
            return one == expected.children.end() && other == found.children.end();
        }

        /// Which of the two names comes first; 0: both have it.
        [[nodiscard]] int order() const {
            if (one == expected.children.end()) return 1;
            return other == found.children.end() ? -1 : one->first.compare(other->first);
        }
    };

    /// Depth first, without recursion: trees may be nested thousands deep.
    void compare(const FileTree& expected, const FileTree& found) {
        std::string path;
        std::vector<Level> levels;
        levels.push_back({.expected = expected.root(), .found = found.root()});
        while (!levels.empty()) {
            if (levels.back().done()) {
                levels.pop_back();
                continue;
            }
            step(levels, path);
        }
    }

    void step(std::vector<Level>& levels, std::string& path) {
        Level& level = levels.back();
        const int order = level.order();
        path.resize(level.path_size);
        path.append("/").append(order <= 0 ? level.one->first : level.other->first);
        const Node* one = order <= 0 ? &(level.one++)->second : nullptr;
        const Node* other = order >= 0 ? &(level.other++)->second : nullptr;
        if (one == nullptr) {
            keep(kPresence, "+ " + shown(path) + ": added " + node_text(*other));
        } else if (other == nullptr) {
            keep(kPresence, "- " + shown(path) + ": missing " + node_text(*one));
        } else {
            compare_nodes(*one, *other, path);
            if (one->is_directory() && other->is_directory()) {
                levels.push_back({.expected = *one->directory(),
                                  .found = *other->directory(),
                                  .path_size = path.size()});
            }
        }
    }

    void compare_nodes(const Node& expected, const Node& found, const std::string& path) {
        Line line;
        if (expected.type() != found.type()) {
            line.add(kContent,
                     "type",
                     std::string(to_string(expected.type())),
                     std::string(to_string(found.type())));
        } else if (!expected.is_directory()) {
            compare_leaves(expected, found, line);
        }
        line.add_metadata(expected.meta(), found.meta());
        keep(path, line);
    }

    void compare_leaves(const Node& expected, const Node& found, Line& line) {
        const Inode& one = *expected.leaf();
        const Inode& other = *found.leaf();
        const bool same = one.size == other.size && one.content == other.content &&
                          one.external == other.external && one.backing_path == other.backing_path;
        if (!same) {
            std::string before = content_text(one);
            if (before == content_text(other)) before += " (differently stored)";
            line.add(kContent, "content", before, content_text(other));
        }
        if (one.rdev != other.rdev) {
            line.add(kOwner, "device", std::to_string(one.rdev), std::to_string(other.rdev));
        }
        const auto links = expected.leaf().use_count();
        const auto found_links = found.leaf().use_count();
        if (links == 1 && found_links == 1) return;
        line.add(kOwner, "names", std::to_string(links), std::to_string(found_links));
        const Inode* partner = partners_.try_emplace(&one, &other).first->second;
        const Inode* back = partners_.try_emplace(&other, &one).first->second;
        if (partner != &other || back != &one) {
            line.add(kOwner, "hard link", "to the names it had", "to others");
        }
    }

    void keep(const std::string& path, const Line& line) {
        if (!line.text().empty()) keep(line.rank(), "  " + shown(path) + ": " + line.text());
    }

    void keep(Rank rank, std::string text) {
        ++total_;
        if (lines_[rank].size() < max_lines_) lines_[rank].push_back(std::move(text));
    }

    [[nodiscard]] std::string text() const {
        std::string result;
        std::size_t shown = 0;
        for (const auto& lines : lines_) {
            for (const std::string& line : lines) {
                if (shown == max_lines_) break;
                result += line + '\n';
                ++shown;
            }
        }
        if (shown < total_) {
            result += "  and " + std::to_string(total_ - shown) + " more paths that differ\n";
        }
        return result;
    }

    const std::size_t max_lines_;
    std::size_t total_ = 0;
    std::array<std::vector<std::string>, kRanks> lines_;
    std::unordered_map<const Inode*, const Inode*> partners_;
};

}  // namespace

std::string diff_trees(const FileTree& expected, const FileTree& found, std::size_t max_lines) {
    return Comparison(max_lines).run(expected, found);
}

}  // namespace cfs::image
