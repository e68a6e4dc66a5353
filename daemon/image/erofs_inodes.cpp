// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_inodes.hpp"

#include "base/error.hpp"
#include "image/erofs_format.hpp"

#include <array>
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
    std::uint32_t names = 0;
    std::uint32_t number = kNone;
};

using Links = std::unordered_map<const Inode*, Link>;

/// Leaves whose count of owners is one have one name and stay out of the map: that is nearly all.
void collect_links(const Directory& directory, Links& links) {
    for (const auto& [name, node] : directory.children) {
        if (node.is_directory()) {
            collect_links(*node.directory(), links);
        } else if (node.leaf().use_count() > 1) {
            Link& link = links[node.leaf().get()];
            if (link.names++ == 0) link.home = &directory;
        }
    }
}

class Numbering {
 public:
    Numbering(const FileTree& tree, ErofsVersion version)
        : root_(tree.root()), stubs_(version != ErofsVersion::V2) {
        collect_links(root_, links_);
    }

    InodeList run() {
        if (stubs_) list_.stub_meta.push_back(stub_metadata(root_.meta));
        add_directory(root_);
        if (stubs_) {
            for (std::uint32_t i = 0; i < list_.items.size(); ++i) {
                if (list_.items[i].directory != nullptr) expand(i, i == 0 ? 0 : parents_[i]);
            }
            for (const auto& [entry, leaf] : unresolved_) {
                list_.entries[entry].inode = links_.at(leaf).number;
            }
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

    /// The children, the stubs that are missing and the two dots, in byte order.
    std::vector<Child> children_of(const Directory& directory) const {
        std::vector<Child> result;
        result.reserve(directory.children.size() + 2 + (&directory == &root_ ? 256 : 0));
        std::vector<std::string_view> extra = {".", ".."};
        if (stubs_ && &directory == &root_) {
            for (const auto& name : kStubNames)
                extra.emplace_back(name.data(), name.size());
        }
        auto next = extra.begin();
        for (const auto& [name, node] : directory.children) {
            for (; next != extra.end() && *next < name; ++next)
                result.push_back({*next, nullptr});
            if (next != extra.end() && *next == name) ++next;
            result.push_back({name, &node});
        }
        for (; next != extra.end(); ++next)
            result.push_back({*next, nullptr});
        return result;
    }

    std::uint32_t add(Item item, std::uint32_t parent = 0) {
        list_.items.push_back(item);
        if (stubs_) parents_.push_back(parent);
        return static_cast<std::uint32_t>(list_.items.size() - 1);
    }

    std::uint32_t add_directory(const Directory& directory, std::uint32_t parent = 0) {
        return add({.meta = &directory.meta,
                    .directory = &directory,
                    .leaf = nullptr,
                    .type = FileType::Directory,
                    .nlink = 2},
                   parent);
    }

    std::uint32_t add_leaf(const Child& child, std::uint32_t parent, std::uint32_t names) {
        const Inode& leaf = *child.node->leaf();
        const bool stub = parent == 0 && is_stub(root_.meta, child.name, leaf);
        const bool escaped = stubs_ && leaf.is_whiteout() && !stub;
        if (leaf.is_whiteout() && names > 1) {
            throw Error(ErrorCode::BadFormat,
                        "whiteout '" + printable(child.name) + "' has " + std::to_string(names) +
                            " names, expected one",
                        "A whiteout (character device 0:0) cannot be hard-linked in an image.");
        }
        if (escaped) list_.items[parent].holds_escaped = true;
        return add({.meta = &leaf.meta,
                    .leaf = &leaf,
                    .type = escaped ? FileType::Regular : leaf.type,
                    .escaped = escaped,
                    .nlink = names});
    }

    std::uint32_t add_stub() {
        return add({.meta = list_.stub_meta.data(), .type = FileType::CharDevice});
    }

    /// Numbers a leaf unless that is another directory's turn; kNone then.
    std::uint32_t number_leaf(const Child& child, std::uint32_t parent) {
        const auto found = links_.find(child.node->leaf().get());
        if (child.node->leaf().use_count() == 1 || found == links_.end()) {
            return add_leaf(child, parent, 1);
        }
        Link& link = found->second;
        const bool here = !stubs_ || link.home == list_.items[parent].directory;
        if (link.number == kNone && here) link.number = add_leaf(child, parent, link.names);
        return link.number;
    }

    std::uint32_t begin_entries(std::uint32_t index, std::size_t count) {
        const auto first = static_cast<std::uint32_t>(list_.entries.size());
        list_.items[index].first_entry = first;
        list_.items[index].entry_count = static_cast<std::uint32_t>(count);
        list_.entries.resize(list_.entries.size() + count);
        return first;
    }

    /// Breadth first: gives numbers to the children of one directory.
    void expand(std::uint32_t index, std::uint32_t parent) {
        const auto children = children_of(*list_.items[index].directory);
        std::uint32_t at = begin_entries(index, children.size());
        for (const Child& child : children) {
            std::uint32_t number = 0;
            if (child.node == nullptr) {
                number = child.name == "." ? index : child.name == ".." ? parent : add_stub();
            } else if (child.node->is_directory()) {
                number = add_directory(*child.node->directory(), index);
                ++list_.items[index].nlink;
            } else {
                number = number_leaf(child, index);
                if (number == kNone) unresolved_.emplace_back(at, child.node->leaf().get());
            }
            list_.entries[at++] = {child.name, number};
        }
    }

    /// Depth first: numbers everything below one directory.
    void descend(std::uint32_t index, std::uint32_t parent) {
        const auto children = children_of(*list_.items[index].directory);
        std::uint32_t at = begin_entries(index, children.size());
        for (const Child& child : children) {
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
            list_.entries[at++] = {child.name, number};
        }
    }

    const Directory& root_;
    const bool stubs_;
    Links links_;
    InodeList list_;
    std::vector<std::uint32_t> parents_;
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

InodeList number_inodes(const FileTree& tree, ErofsVersion version) {
    return Numbering(tree, version).run();
}

}  // namespace cfs::image::erofs
