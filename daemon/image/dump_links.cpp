// SPDX-License-Identifier: Apache-2.0
#include "image/dump_links.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace cfs::image {

void PendingLinks::add(Directory& parent, std::string name, std::string target, LinkPlace place) {
    links_.push_back({&parent, std::move(name), std::move(target), std::move(place)});
}

void PendingLinks::resolve(FileTree& tree) {
    for (std::size_t i = 0; i < links_.size(); ++i) {
        links_[i].node = links_[i].parent->find(links_[i].name);
        index_.emplace(links_[i].node, i);
    }
    for (std::size_t i = 0; i < links_.size(); ++i)
        follow(tree, i);
}

void PendingLinks::bad(const Link& link, const std::string& what) {
    throw Error(ErrorCode::BadFormat,
                "dump line " + std::to_string(link.place.line) + ", column " +
                    std::to_string(link.place.column) + " ('" + printable(link.place.path) +
                    "'): hard link target '" + printable(link.target) + "' " + what,
                "PAYLOAD of a hard link is the absolute path of a file of the same dump.");
}

/// All links on the way to a file get it, so that each is walked once.
void PendingLinks::follow(FileTree& tree, std::size_t first) {
    std::vector<std::size_t> way;
    std::shared_ptr<Inode> leaf = links_[first].node->leaf();
    for (std::size_t at = first; leaf == nullptr;) {
        Link& link = links_[at];
        if (link.entered) bad(link, "leads back to itself");
        link.entered = true;
        way.push_back(at);
        const Node* target = tree.lookup(link.target);
        if (target == nullptr) bad(link, "is missing");
        if (target->is_directory()) bad(link, "is a directory");
        leaf = target->leaf();
        if (leaf == nullptr) at = index_.at(target);
    }
    for (const std::size_t at : way)
        *links_[at].node = Node(leaf, true);
}

}  // namespace cfs::image
