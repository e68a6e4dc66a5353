// SPDX-License-Identifier: Apache-2.0
#include "image/tree.hpp"

#include "image/inode_memory.hpp"

#include <sys/stat.h>

#include <unordered_map>

namespace cfs::image {
namespace {

/// Removes and returns the first component; skips empty ones. "" at the end.
std::string_view next_component(std::string_view& path) {
    while (!path.empty() && path.front() == '/')
        path.remove_prefix(1);
    const std::string_view head = path.substr(0, path.find('/'));
    path.remove_prefix(head.size());
    return head;
}

const Directory* find_directory(const Directory& root, std::string_view path) {
    const Directory* directory = &root;
    for (auto name = next_component(path); !name.empty(); name = next_component(path)) {
        const Node* node = directory->find(name);
        if (node == nullptr || !node->is_directory()) return nullptr;
        directory = node->directory();
    }
    return directory;
}

const Node* find_node(const Directory& root, std::string_view path) {
    while (!path.empty() && path.back() == '/')
        path.remove_suffix(1);
    const auto slash = path.rfind('/');
    const auto parent =
        slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
    const Directory* directory = find_directory(root, parent);
    return directory == nullptr ? nullptr
                                : directory->find(path.substr(slash == path.npos ? 0 : slash + 1));
}

void walk_directory(const Directory& directory,
                    std::string& path,
                    const std::function<void(const std::string&, const Node&)>& visit) {
    const std::size_t length = path.size();
    for (const auto& [name, node] : directory.children) {
        path += '/';
        path += name;
        visit(path, node);
        if (node.is_directory()) walk_directory(*node.directory(), path, visit);
        path.resize(length);
    }
}

using Copies = std::unordered_map<const Inode*, std::shared_ptr<Inode>>;

std::unique_ptr<Directory> copy_directory(const Directory& from, Copies& copies) {
    auto to = std::make_unique<Directory>();
    to->meta = from.meta;
    for (const auto& [name, node] : from.children) {
        if (node.is_directory()) {
            to->children.try_emplace(name, Node(copy_directory(*node.directory(), copies)));
            continue;
        }
        auto& leaf = copies[node.leaf().get()];
        if (!leaf) leaf = make_inode(*node.leaf());
        to->children.try_emplace(name, Node(leaf, node.is_link()));
    }
    return to;
}

}  // namespace

char type_letter(FileType type) {
    switch (type) {
        case FileType::Regular:
            return '-';
        case FileType::Directory:
            return 'd';
        case FileType::Symlink:
            return 'l';
        case FileType::CharDevice:
            return 'c';
        case FileType::BlockDevice:
            return 'b';
        case FileType::Fifo:
            return 'p';
        case FileType::Socket:
            return 's';
    }
    return '-';
}

std::string_view to_string(FileType type) {
    switch (type) {
        case FileType::Regular:
            return "regular file";
        case FileType::Directory:
            return "directory";
        case FileType::Symlink:
            return "symbolic link";
        case FileType::CharDevice:
            return "character device";
        case FileType::BlockDevice:
            return "block device";
        case FileType::Fifo:
            return "fifo";
        case FileType::Socket:
            return "socket";
    }
    return "unknown";
}

std::uint32_t mode_bits(FileType type) {
    switch (type) {
        case FileType::Regular:
            return S_IFREG;
        case FileType::Directory:
            return S_IFDIR;
        case FileType::Symlink:
            return S_IFLNK;
        case FileType::CharDevice:
            return S_IFCHR;
        case FileType::BlockDevice:
            return S_IFBLK;
        case FileType::Fifo:
            return S_IFIFO;
        case FileType::Socket:
            return S_IFSOCK;
    }
    return 0;
}

std::optional<FileType> file_type_from_mode(std::uint32_t mode) {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return FileType::Regular;
        case S_IFDIR:
            return FileType::Directory;
        case S_IFLNK:
            return FileType::Symlink;
        case S_IFCHR:
            return FileType::CharDevice;
        case S_IFBLK:
            return FileType::BlockDevice;
        case S_IFIFO:
            return FileType::Fifo;
        case S_IFSOCK:
            return FileType::Socket;
        default:
            return std::nullopt;
    }
}

std::shared_ptr<Inode> make_inode() {
    return std::allocate_shared<Inode>(SlabAllocator<Inode>());
}

std::shared_ptr<Inode> make_inode(const Inode& from) {
    return std::allocate_shared<Inode>(SlabAllocator<Inode>(), from);
}

std::uint32_t make_rdev(std::uint64_t major, std::uint64_t minor) {
    return static_cast<std::uint32_t>((minor & 0xff) | (major & 0xfff) << 8 |
                                      (minor & 0xfff00) << 12);
}

std::string object_path(const Digest& digest) {
    std::string path = digest.hex();
    path.insert(2, 1, '/');
    return path;
}

bool is_object_path_of(std::string_view path, const Digest& digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const ByteView bytes = digest.bytes();
    if (path.size() != 2 * bytes.size() + 1 || path[2] != '/') return false;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::size_t at = i == 0 ? 0 : 2 * i + 1;
        if (path[at] != kDigits[bytes[i] >> 4] || path[at + 1] != kDigits[bytes[i] & 15]) {
            return false;
        }
    }
    return true;
}

std::optional<Digest> digest_from_object_path(std::string_view path) {
    if (path.size() < 3 || path[2] != '/') return std::nullopt;
    std::string hex(path);
    hex.erase(2, 1);
    auto digest = Digest::from_hex(hex);
    // Object names are lowercase only: the other spelling names another file.
    if (digest && digest->hex() != hex) return std::nullopt;
    return digest;
}

Node::Node(std::unique_ptr<Directory> directory) : directory_(std::move(directory)) {}
Node::Node(std::shared_ptr<Inode> leaf, bool is_link) : leaf_(std::move(leaf)), is_link_(is_link) {}
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

FileType Node::type() const {
    return is_directory() ? FileType::Directory : leaf_->type;
}

Metadata& Node::meta() const {
    return is_directory() ? directory_->meta : leaf_->meta;
}

Node* Directory::find(std::string_view name) {
    const auto found = children.find(name);
    return found == children.end() ? nullptr : &found->second;
}

const Node* Directory::find(std::string_view name) const {
    const auto found = children.find(name);
    return found == children.end() ? nullptr : &found->second;
}

Node& Directory::put(std::string_view name, Node node) {
    return children.insert_or_assign(name, std::move(node))->second;
}

FileTree::FileTree() : root_(std::make_unique<Directory>()) {
    root_->meta.mode = 0755;
}

Node* FileTree::lookup(std::string_view path) {
    return const_cast<Node*>(std::as_const(*this).lookup(path));
}

const Node* FileTree::lookup(std::string_view path) const {
    return find_node(*root_, path);
}

Directory* FileTree::lookup_directory(std::string_view path) {
    return const_cast<Directory*>(find_directory(*root_, path));
}

void FileTree::walk(const std::function<void(const std::string&, const Node&)>& visit) const {
    std::string path;
    walk_directory(*root_, path, visit);
}

FileTree FileTree::copy() const {
    FileTree result;
    Copies copies;
    result.root_ = copy_directory(*root_, copies);
    return result;
}

}  // namespace cfs::image
