// SPDX-License-Identifier: Apache-2.0
/// \file Hard links of a dump whose targets may be later lines or other links. Internal to the dump
/// reader.
#pragma once

#include "image/tree.hpp"

#include <string>
#include <unordered_map>
#include <vector>

namespace cfs::image {

/// Where a link's line said so, for messages.
struct LinkPlace {
    std::size_t line = 0;
    std::size_t column = 0;
    std::string path;
};

class PendingLinks {
 public:
    /// The name `name` of `parent`, which has no leaf yet.
    void add(Directory& parent, std::string name, std::string target, LinkPlace place);

    /// Gives every link its target's leaf. BadFormat for a target that is missing, a directory, or
    /// a circle of links.
    void resolve(FileTree& tree);

 private:
    struct Link {
        Directory* parent;
        std::string name;
        std::string target;
        LinkPlace place;
        Node* node = nullptr;  ///< known when the tree is complete and no longer moves
        bool entered = false;
    };

    [[noreturn]] static void bad(const Link& link, const std::string& what);
    void follow(FileTree& tree, std::size_t first);

    std::vector<Link> links_;
    std::unordered_map<const Node*, std::size_t> index_;
};

}  // namespace cfs::image
