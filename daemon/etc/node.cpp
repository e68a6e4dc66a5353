// SPDX-License-Identifier: Apache-2.0
#include "etc/node.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace cfs::etc {
namespace {

/// Files of configuration are small; what is larger is compared piece by piece.
constexpr off_t kSmallFile = off_t{256} * 1024;

void append_names(Node* node, std::vector<std::string>& names) {
    if (node == nullptr || node->type() != NodeType::Directory) return;
    std::vector<std::string> more = node->names();
    std::move(more.begin(), more.end(), std::back_inserter(names));
}

}  // namespace

NodeType node_type(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return NodeType::File;
        case S_IFDIR:
            return NodeType::Directory;
        case S_IFLNK:
            return NodeType::Link;
        default:
            return NodeType::Special;
    }
}

std::string_view to_words(NodeType type) {
    switch (type) {
        case NodeType::File:
            return "a file";
        case NodeType::Directory:
            return "a directory";
        case NodeType::Link:
            return "a symbolic link";
        case NodeType::Special:
            return "a FIFO, socket or device";
    }
    return "?";
}

NodePtr Node::find(int parent, const std::string& name, const std::string& path) {
    if (parent < 0) return nullptr;
    struct stat st {};
    if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) {
        return std::make_unique<Node>(parent, name, path, st);
    }
    if (errno == ENOENT) return nullptr;
    throw_errno("examining '" + printable(path, 400) + "'");
}

Node::Node(int parent, std::string name, std::string path, const struct stat& st)
    : parent_(parent), name_(std::move(name)), path_(std::move(path)), stat_(st) {}

int Node::fd() {
    if (fd_) return fd_.get();
    with_context(path_, [&] {
        // O_NONBLOCK: should a FIFO have taken the name since, nothing waits for a writer.
        const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
        fd_ = open_at(parent_, name_, type() == NodeType::Directory ? flags | O_DIRECTORY : flags);
        struct stat now {};
        if (::fstat(fd_.get(), &now) != 0) throw_errno("examining the opened file");
        if ((now.st_mode & S_IFMT) != (stat_.st_mode & S_IFMT)) {
            throw Error(ErrorCode::Busy,
                        "was " + std::string(to_words(type())) + " and is " +
                            std::string(to_words(node_type(now.st_mode))) + " a moment later",
                        "try again when nothing changes /etc");
        }
    });
    return fd_.get();
}

const Xattrs& Node::xattrs() {
    if (!xattrs_) {
        const bool opened = type() == NodeType::File || type() == NodeType::Directory;
        const int file = opened ? fd() : -1;
        with_context(
            path_, [&] { xattrs_ = opened ? read_xattrs(file) : read_xattrs_at(parent_, name_); });
    }
    return *xattrs_;
}

const std::string& Node::target() {
    if (!target_) target_ = with_context(path_, [&] { return read_link_at(parent_, name_); });
    if (!target_) throw Error(ErrorCode::Busy, path_ + ": was a symbolic link a moment ago");
    return *target_;
}

std::vector<std::string> Node::names() {
    const int directory = fd();
    return with_context(path_, [&] { return list_dir(directory); });
}

const Bytes* Node::small_content() {
    if (content_) return &*content_;
    if (stat_.st_size > kSmallFile) return nullptr;
    const int file = fd();
    // One byte more than there should be, so that one read also sees the end.
    Bytes bytes(static_cast<std::size_t>(stat_.st_size) + 1);
    std::size_t filled = 0;
    with_context(path_, [&] {
        while (filled < bytes.size()) {
            const std::size_t n = read_some(file, std::span(bytes).subspan(filled));
            filled += n;
            if (n == 0 || filled == static_cast<std::size_t>(stat_.st_size)) break;
        }
    });
    bytes.resize(filled);
    content_ = std::move(bytes);
    return &*content_;
}

void Node::release() {
    fd_.reset();
    content_.reset();
}

NodePtr find_child(Node* directory, const std::string& name) {
    if (directory == nullptr || directory->type() != NodeType::Directory) return nullptr;
    return Node::find(directory->fd(), name, join_path(directory->path(), name));
}

std::vector<std::string> union_of_names(Node* one, Node* two, Node* three) {
    std::vector<std::string> names;
    for (Node* node : {one, two, three})
        append_names(node, names);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

std::string join_path(const std::string& parent, const std::string& name) {
    return parent == "." ? name : parent + "/" + name;
}

}  // namespace cfs::etc
