// SPDX-License-Identifier: Apache-2.0
#include "image/transform.hpp"

#include "base/error.hpp"
#include "image/selinux.hpp"

namespace cfs::image {
namespace {

Directory& directory_at(FileTree& tree, std::string_view name) {
    const Node* node = tree.lookup(name);
    if (node == nullptr || !node->is_directory()) {
        throw Error(
            ErrorCode::BadFormat,
            "the image's '/" + std::string(name) + "' is " +
                (node == nullptr ? "missing" : "a " + std::string(to_string(node->type()))) +
                ", expected a directory",
            "A system image needs the directories /usr, /boot and /sysroot.");
    }
    return *node->directory();
}

void filter_xattrs(Metadata& meta, XattrMode mode) {
    meta.xattrs.erase_if([mode](const std::string& name, const std::string&) {
        if (name == "security.capability") return false;
        return mode == XattrMode::AllowlistOnly || !name.starts_with("user.");
    });
}

void take_mtime(Metadata& meta, const Metadata& from) {
    meta.mtime_sec = from.mtime_sec;
    meta.mtime_nsec = from.mtime_nsec;
}

}  // namespace

void oci_transform(FileTree& tree, XattrMode mode) {
    const Metadata usr = directory_at(tree, "usr").meta;
    tree.root().meta = usr;
    if (tree.lookup("run") != nullptr) {
        Directory& run = directory_at(tree, "run");
        run.children.clear();
        take_mtime(run.meta, usr);
    }
    filter_xattrs(tree.root().meta, mode);
    tree.walk([mode](const std::string&, const Node& node) { filter_xattrs(node.meta(), mode); });
}

void boot_transform(FileTree& tree, BootMtime mtime, const ReadContent& read) {
    const Metadata usr = directory_at(tree, "usr").meta;
    for (const std::string_view name : {"boot", "sysroot"}) {
        Directory& directory = directory_at(tree, name);
        directory.children.clear();
        const std::uint32_t own_nsec = directory.meta.mtime_nsec;
        take_mtime(directory.meta, usr);
        if (mtime == BootMtime::Seconds) directory.meta.mtime_nsec = own_nsec;
    }
    if (const auto policy = find_policy(tree, read)) {
        relabel(tree, *policy);
    } else {
        remove_labels(tree);
    }
}

}  // namespace cfs::image
