// SPDX-License-Identifier: Apache-2.0
#include "image/layers.hpp"

#include "base/error.hpp"

namespace cfs::image {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaqueWhiteout = ".wh..wh..opq";

[[noreturn]] void bad(const std::string& what, std::string hint = {}) {
    throw Error(ErrorCode::BadFormat, what, std::move(hint));
}

std::shared_ptr<Inode> make_leaf(TarEntry& entry) {
    auto leaf = make_inode();
    leaf->type = entry.type;
    leaf->meta = std::move(entry.meta);
    leaf->size = entry.size;
    leaf->rdev = entry.rdev;
    leaf->external = entry.external;
    leaf->content = std::move(entry.content);
    if (entry.type == FileType::Symlink) {
        leaf->content = std::move(entry.link_target);
        leaf->size = leaf->content.size();
    }
    return leaf;
}

}  // namespace

void LayerMerger::apply(TarEntry entry) {
    const std::string path = entry.path;
    try {
        apply_entry(entry);
    } catch (Error& error) {
        error.add_context("layer " + std::to_string(layer_) + ", '/" + printable(path) + "'");
        throw;
    }
}

FileTree LayerMerger::take() {
    return std::exchange(tree_, FileTree());
}

void LayerMerger::apply_entry(TarEntry& entry) {
    if (entry.path.empty()) return apply_root(entry);
    Directory& parent = parent_of(entry.path);
    const std::string_view path = entry.path;
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (name.starts_with(kWhiteout)) {
        apply_whiteout(parent, name);
    } else if (entry.hard_link) {
        put_hard_link(parent, name, entry);
    } else if (entry.type == FileType::Directory) {
        put_directory(parent, name, entry);
    } else {
        parent.put(std::string(name), Node(make_leaf(entry)));
    }
}

void LayerMerger::apply_root(TarEntry& entry) {
    if (entry.hard_link || entry.type != FileType::Directory) {
        bad("the root is a " + std::string(to_string(entry.type)) + ", expected a directory");
    }
    tree_.root().meta = std::move(entry.meta);
}

Directory& LayerMerger::parent_of(std::string_view path) {
    const auto slash = path.rfind('/');
    const std::string_view parent = slash == path.npos ? "" : path.substr(0, slash);
    Directory* directory = tree_.lookup_directory(parent);
    if (directory == nullptr) {
        bad("its parent directory '/" + printable(parent) +
                "' is missing, or not a directory, in the layers so far",
            "Every directory needs an entry of its own before its content; symbolic links are not "
            "followed. Rebuild the layer with complete directories.");
    }
    return *directory;
}

void LayerMerger::apply_whiteout(Directory& parent, std::string_view name) {
    if (name == kOpaqueWhiteout) {
        parent.children.clear();
        return;
    }
    const std::string_view victim = name.substr(kWhiteout.size());
    if (victim.empty()) bad("the whiteout names nothing");
    if (const auto found = parent.children.find(victim); found != parent.children.end()) {
        parent.children.erase(found);
    }
}

void LayerMerger::put_directory(Directory& parent, std::string_view name, TarEntry& entry) {
    if (Node* node = parent.find(name); node != nullptr && node->is_directory()) {
        node->directory()->meta = std::move(entry.meta);
        return;
    }
    auto directory = std::make_unique<Directory>();
    directory->meta = std::move(entry.meta);
    parent.put(std::string(name), Node(std::move(directory)));
}

void LayerMerger::put_hard_link(Directory& parent, std::string_view name, const TarEntry& entry) {
    const Node* target = tree_.lookup(entry.link_target);
    if (target == nullptr || target->is_directory()) {
        bad("the hard link's target '/" + printable(entry.link_target) + "' is " +
            (target == nullptr ? "missing" : "a directory") +
            " in the layers so far, expected a file");
    }
    parent.put(std::string(name), Node(target->leaf()));
}

}  // namespace cfs::image
