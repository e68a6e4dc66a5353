// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_inodes.hpp"

#include "base/error.hpp"
#include "image/erofs_format.hpp"

#include <array>
#include <span>
#include <unordered_map>

namespace cfs::image::erofs {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;

constexpr auto kStubNames = [] {
    std::array<std::array<char, 2>, 256> names{};
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (std::size_t i = 0; i < names.size(); ++i)
        names[i] = {kDigits[i / 16], kDigits[i % 16]};
    return names;
}();

/// What is known of a leaf with several names.
struct Link {
    const Directory* home = nullptr;  ///< the directory of its first name, depth first
    const Node* own = nullptr;        ///< the first name that is no link to another one
    std::uint32_t names = 0;
    std::uint32_t number = kNone;
};

using Links = std::unordered_map<const Inode*, Link>;

struct Counts {
    std::size_t directories = 1;
    std::size_t names = 0;
};

/// Leaves whose count of owners is one have one name and stay out of the map: that is nearly all.
void collect_links(const Directory& directory, Links& links, Counts& counts) {
    counts.names += directory.children.size();
    for (const auto& [name, node] : directory.children)
        __builtin_prefetch(node.leaf().get());
    for (const auto& [name, node] : directory.children) {
        if (node.is_directory()) {
            ++counts.directories;
            collect_links(*node.directory(), links, counts);
        } else if (node.leaf().use_count() > 1) {
            Link& link = links[node.leaf().get()];
            if (link.names++ == 0) link.home = &directory;
            if (link.own == nullptr || (link.own->is_link() && !node.is_link())) link.own = &node;
        }
    }
}

class Numbering {
 public:
    Numbering(const FileTree& tree, const Rules& rules)
        : root_(tree.root()), rules_(rules), stubs_(!rules.v2()) {
        Counts counts;
        collect_links(root_, links_, counts);
        const std::size_t stubs = stubs_ ? kStubNames.size() : 0;
        for (std::size_t i = 0; i < stubs; ++i)
            root_names_.emplace_back(kStubNames[i].data(), kStubNames[i].size());
        list_.items.reserve(counts.names + 1 + stubs);
        list_.entries.reserve(counts.names + 2 * counts.directories + stubs);
    }

    InodeList run() {
        if (stubs_) list_.stub_meta.push_back(stub_metadata(root_.meta));
        add_directory(root_);
        if (stubs_) {
            for (std::uint32_t i = 0; i < list_.items.size(); ++i) {
                if (list_.items[i].directory != nullptr) expand(i);
            }
            for (const auto& [entry, leaf] : unresolved_)
                set_entry(entry, list_.entries[entry].name, links_.at(leaf).number);
        } else {
            descend(0, 0);
        }
        return std::move(list_);
    }

 private:
    struct Child {
        std::string_view name;
        const Node* node;  ///< nullptr for ".", ".." and stubs
    };

    /// Names that no node stands for: the two dots and, in the root, stubs. In byte order.
    [[nodiscard]] std::span<const std::string_view> extra_names(const Directory& directory) const {
        static constexpr std::array<std::string_view, 2> kDots = {".", ".."};
        if (&directory == &root_) return root_names_;
        return kDots;
    }

    /// Calls `visit` with the children, the stubs that are missing and the two dots, in byte order.
    template <typename Visit>
    void for_each_child(const Directory& directory, Visit visit) const {
        for (const auto& [name, node] : directory.children)
            __builtin_prefetch(node.leaf().get());
        const auto extra = extra_names(directory);
        auto next = extra.begin();
        for (const auto& [name, node] : directory.children) {
            for (; next != extra.end() && *next < name; ++next)
                visit(Child{*next, nullptr});
            if (next != extra.end() && *next == name) ++next;
            visit(Child{name, &node});
        }
        for (; next != extra.end(); ++next)
            visit(Child{*next, nullptr});
    }

    std::uint32_t add(const Item& item) {
        if (list_.items.empty() || earlier(*item.meta)) {
            list_.min_sec = item.meta->mtime_sec;
            list_.min_nsec = item.meta->mtime_nsec;
        }
        list_.items.push_back(item);
        return static_cast<std::uint32_t>(list_.items.size() - 1);
    }

    /// composefs-rs compares seconds as unsigned: times before 1970 never are the least.
    [[nodiscard]] bool earlier(const Metadata& meta) const {
        const std::uint64_t sign = rules_.c() ? std::uint64_t{1} << 63 : 0;
        const auto key = [sign](std::int64_t sec, std::uint32_t nsec) {
            return std::pair(static_cast<std::uint64_t>(sec) ^ sign, nsec);
        };
        return key(meta.mtime_sec, meta.mtime_nsec) < key(list_.min_sec, list_.min_nsec);
    }

    /// Until a directory is expanded, its first_entry holds its parent's number.
    std::uint32_t add_directory(const Directory& directory, std::uint32_t parent = 0) {
        return add({.meta = &directory.meta,
                    .directory = &directory,
                    .leaf = nullptr,
                    .type = FileType::Directory,
                    .nlink = 2,
                    .first_entry = parent});
    }

    std::uint32_t add_leaf(const Child& child, std::uint32_t parent, std::uint32_t names) {
        const Inode& leaf = *child.node->leaf();
        const bool whiteout = leaf.is_whiteout();
        const bool stub =
            whiteout && !rules_.c() && parent == 0 && is_stub(root_.meta, child.name, leaf);
        const bool escaped = stubs_ && whiteout && !stub;
        if (whiteout && names > 1 && !rules_.c()) {
            throw Error(ErrorCode::BadFormat,
                        "whiteout '" + printable(child.name) + "' has " + std::to_string(names) +
                            " names, expected one",
                        "A whiteout (character device 0:0) cannot be hard-linked in an image.");
        }
        if (escaped) list_.items[parent].holds_escaped = list_.holds_escaped = true;
        return add({.meta = &leaf.meta,
                    .leaf = &leaf,
                    .type = escaped ? FileType::Regular : leaf.type,
                    .escaped = escaped,
                    .nlink = rules_.c() ? leaf.stated_nlink.value_or(names) : names});
    }

    std::uint32_t add_stub() {
        return add({.meta = list_.stub_meta.data(), .type = FileType::CharDevice});
    }

    /// Numbers a leaf unless that is another directory's turn; kNone then.
    std::uint32_t number_leaf(const Child& child, std::uint32_t parent) {
        if (child.node->leaf().use_count() == 1) return add_leaf(child, parent, 1);
        const auto found = links_.find(child.node->leaf().get());
        if (found == links_.end()) return add_leaf(child, parent, 1);
        Link& link = found->second;
        const bool here = rules_.c() ? link.own == child.node
                                     : !stubs_ || link.home == list_.items[parent].directory;
        if (link.number == kNone && here) link.number = add_leaf(child, parent, link.names);
        return link.number;
    }

    void set_entry(std::uint32_t at, std::string_view name, std::uint32_t number) {
        list_.entries[at] = {name, number, list_.items[number].type};
    }

    /// Breadth first: gives numbers to the children of one directory.
    void expand(std::uint32_t index) {
        const std::uint32_t parent = list_.items[index].first_entry;
        const auto first = static_cast<std::uint32_t>(list_.entries.size());
        for_each_child(*list_.items[index].directory, [&](const Child& child) {
            std::uint32_t number = 0;
            if (child.node == nullptr) {
                number = child.name == "." ? index : child.name == ".." ? parent : add_stub();
            } else if (child.node->is_directory()) {
                number = add_directory(*child.node->directory(), index);
                ++list_.items[index].nlink;
            } else {
                number = number_leaf(child, index);
                if (number == kNone) {
                    unresolved_.emplace_back(list_.entries.size(), child.node->leaf().get());
                    number = index;  // until it has one
                }
            }
            list_.entries.push_back({child.name, number, list_.items[number].type});
        });
        list_.items[index].first_entry = first;
        list_.items[index].entry_count = static_cast<std::uint32_t>(list_.entries.size()) - first;
    }

    /// Depth first: numbers everything below one directory.
    void descend(std::uint32_t index, std::uint32_t parent) {
        const Directory& directory = *list_.items[index].directory;
        const std::size_t count = directory.children.size() + extra_names(directory).size();
        auto at = static_cast<std::uint32_t>(list_.entries.size());
        list_.items[index].first_entry = at;
        list_.items[index].entry_count = static_cast<std::uint32_t>(count);
        list_.entries.resize(list_.entries.size() + count);
        for_each_child(directory, [&](const Child& child) {
            std::uint32_t number = 0;
            if (child.node == nullptr) {
                number = child.name == "." ? index : parent;
            } else if (child.node->is_directory()) {
                number = add_directory(*child.node->directory());
                ++list_.items[index].nlink;
                descend(number, index);
            } else {
                number = number_leaf(child, index);
            }
            set_entry(at++, child.name, number);
        });
    }

    const Directory& root_;
    const Rules& rules_;
    const bool stubs_;
    Links links_;
    InodeList list_;
    std::vector<std::string_view> root_names_ = {".", ".."};
    std::vector<std::pair<std::uint32_t, const Inode*>> unresolved_;
};

}  // namespace

Metadata stub_metadata(const Metadata& root) {
    Metadata meta = root;
    meta.mode = 0644;
    meta.xattrs = {};
    if (const auto label = root.xattrs.find(kSelinux); label != root.xattrs.end()) {
        meta.xattrs.insert_or_assign(label->first, label->second);
    }
    return meta;
}

bool is_stub(const Metadata& root, std::string_view name, const Inode& inode) {
    return inode.is_whiteout() && is_stub_name(name) && inode.meta == stub_metadata(root);
}

InodeList number_inodes(const FileTree& tree, const Rules& rules) {
    return Numbering(tree, rules).run();
}

}  // namespace cfs::image::erofs
