// SPDX-License-Identifier: Apache-2.0
/// \file One entry of one of the three trees, read as far as a decision needs.
#pragma once

#include "base/bytes.hpp"
#include "base/unique_fd.hpp"
#include "etc/xattrs.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::etc {

enum class NodeType : std::uint8_t { File, Directory, Link, Special };

[[nodiscard]] NodeType node_type(mode_t mode);

/// "a file", "a directory", ...: for messages.
[[nodiscard]] std::string_view to_words(NodeType type);

/// Directories nested deeper than this are refused: three descriptors are open per level.
inline constexpr int kMaxDepth = 128;

/// A resource: keeps a descriptor while something was read from it. Everything but the stat data is
/// read at the first use and kept. The parent's descriptor is borrowed. Throws Error with the path.
class Node {
 public:
    /// nullptr when `parent` is -1 or has no such name. \param path for messages
    [[nodiscard]] static std::unique_ptr<Node> find(int parent,
                                                    const std::string& name,
                                                    const std::string& path);

    Node(int parent, std::string name, std::string path, const struct stat& st);
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node() = default;

    [[nodiscard]] NodeType type() const { return node_type(stat_.st_mode); }

    [[nodiscard]] const struct stat& stat() const { return stat_; }

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] const std::string& name() const { return name_; }

    /// Open for reading. \pre a file or a directory
    [[nodiscard]] int fd();

    [[nodiscard]] const Xattrs& xattrs();

    /// \pre a link
    [[nodiscard]] const std::string& target();

    /// Sorted bytewise. \pre a directory
    [[nodiscard]] std::vector<std::string> names();

    /// All bytes of a small file; nullptr for one that is too large to keep. \pre a file
    [[nodiscard]] const Bytes* small_content();

    /// Closes the descriptor and forgets the content.
    void release();

 private:
    int parent_;
    std::string name_;
    std::string path_;
    struct stat stat_;
    UniqueFd fd_;
    std::optional<Xattrs> xattrs_;
    std::optional<std::string> target_;
    std::optional<Bytes> content_;
};

using NodePtr = std::unique_ptr<Node>;

/// Child `name` of a directory; nullptr for nothing, for no directory and for no node.
[[nodiscard]] NodePtr find_child(Node* directory, const std::string& name);

/// Names in at least one of the directories, sorted bytewise; nullptr and other types have none.
[[nodiscard]] std::vector<std::string> union_of_names(Node* one, Node* two, Node* three);

/// `parent` + "/" + `name`; just `name` below the root (".").
[[nodiscard]] std::string join_path(const std::string& parent, const std::string& name);

}  // namespace cfs::etc
