// SPDX-License-Identifier: Apache-2.0
#include "image/dump.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>

namespace cfs::image {
namespace {

enum Rank : std::size_t { kContent, kPresence, kOwner, kAttributes, kTimes, kRanks };

std::string quoted(std::string_view text) {
    return "'" + printable(text, 80) + "'";
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
    if (leaf.type == FileType::Symlink) return quoted(leaf.content);
    std::string text = std::to_string(leaf.size) + " bytes";
    if (leaf.external) return text + " of object " + leaf.external->hex().substr(0, 16);
    return leaf.is_inline() ? text + " " + quoted(leaf.content) : text + " outside";
}

std::size_t count_below(const Node& node) {
    std::size_t count = 0;
    if (!node.is_directory()) return count;
    for (const auto& [name, child] : node.directory()->children)
        count += 1 + count_below(child);
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
            return at == xattrs.end() ? std::string("none") : quoted(at->second);
        };
        Xattrs names = expected;
        names.insert(found.begin(), found.end());
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
        std::string path;
        compare(expected.root(), found.root(), path);
        return text();
    }

 private:
    void compare(const Directory& expected, const Directory& found, std::string& path) {
        auto one = expected.children.begin();
        auto other = found.children.begin();
        const std::size_t length = path.size();
        while (one != expected.children.end() || other != found.children.end()) {
            const int order = one == expected.children.end()  ? 1
                              : other == found.children.end() ? -1
                                                              : one->first.compare(other->first);
            path.append("/").append(order <= 0 ? one->first : other->first);
            if (order < 0)
                keep(kPresence, "- " + printable(path) + ": missing " + node_text(one->second));
            if (order > 0)
                keep(kPresence, "+ " + printable(path) + ": added " + node_text(other->second));
            if (order == 0) compare_nodes(one->second, other->second, path);
            path.resize(length);
            if (order <= 0) ++one;
            if (order >= 0) ++other;
        }
    }

    void compare_nodes(const Node& expected, const Node& found, std::string& path) {
        Line line;
        line.add(kContent,
                 "type",
                 std::string(to_string(expected.type())),
                 std::string(to_string(found.type())));
        if (expected.type() == found.type() && !expected.is_directory()) {
            compare_leaves(expected, found, line);
        }
        line.add_metadata(expected.meta(), found.meta());
        keep(path, line);
        if (expected.is_directory() && found.is_directory()) {
            compare(*expected.directory(), *found.directory(), path);
        }
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
        line.add(kOwner, "device", std::to_string(one.rdev), std::to_string(other.rdev));
        const auto links = expected.leaf().use_count();
        const auto found_links = found.leaf().use_count();
        line.add(kOwner, "names", std::to_string(links), std::to_string(found_links));
        if (links == 1 && found_links == 1) return;
        const Inode* partner = partners_.try_emplace(&one, &other).first->second;
        const Inode* back = partners_.try_emplace(&other, &one).first->second;
        if (partner != &other || back != &one) {
            line.add(kOwner, "hard link", "to the names it had", "to others");
        }
    }

    void keep(const std::string& path, const Line& line) {
        if (!line.text().empty()) keep(line.rank(), "  " + printable(path) + ": " + line.text());
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
