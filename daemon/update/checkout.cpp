// SPDX-License-Identifier: Apache-2.0
#include "update/checkout.hpp"

#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <unordered_map>

namespace cfs::update {
namespace {

std::string proc_path(int fd) {
    return "/proc/self/fd/" + std::to_string(fd);
}

class Checkout {
 public:
    Checkout(const store::Repository& store, int top, const std::stop_token& stop)
        : store_(store), top_(top), stop_(stop) {}

    void directory(const image::Directory& source, int out, const std::string& path);

 private:
    void leaf(const std::shared_ptr<image::Inode>& inode,
              int dir,
              const std::string& name,
              const std::string& path);
    void create(const image::Inode& inode, int dir, const char* name);
    void regular(const image::Inode& inode, int dir, const char* name);

    const store::Repository& store_;
    int top_;
    const std::stop_token& stop_;
    std::unordered_map<const image::Inode*, std::string> first_names_;
};

void set_times(int dir, const char* name, const image::Metadata& meta) {
    const timespec mtime{static_cast<time_t>(meta.mtime_sec), static_cast<long>(meta.mtime_nsec)};
    const std::array<timespec, 2> times{mtime, mtime};
    if (::utimensat(dir, name, times.data(), AT_SYMLINK_NOFOLLOW) != 0)
        throw_errno("setting a time");
}

void set_xattrs(const std::string& path, const image::Xattrs& xattrs) {
    for (const auto& [key, value] : xattrs) {
        // What overlayfs reads on the image means nothing, and may harm, on a plain copy.
        if (key.starts_with("trusted.overlay.")) continue;
        if (::lsetxattr(path.c_str(), key.c_str(), value.data(), value.size(), 0) != 0) {
            throw_errno("setting the attribute '" + printable(key) + "'");
        }
    }
}

/// Owner first: chown clears set-id bits and capabilities.
void set_metadata(int dir, const std::string& name, const image::Node& node) {
    const image::Metadata& meta = node.meta();
    if (::fchownat(dir, name.c_str(), meta.uid, meta.gid, AT_SYMLINK_NOFOLLOW) != 0)
        throw_errno("setting the owner");
    const bool link = node.type() == image::FileType::Symlink;
    if (!link && ::fchmodat(dir, name.c_str(), meta.mode, 0) != 0) throw_errno("setting the mode");
    set_xattrs(proc_path(dir) + "/" + name, meta.xattrs);
    set_times(dir, name.c_str(), meta);
}

void Checkout::directory(const image::Directory& source, int out, const std::string& path) {
    for (const auto& [short_name, node] : source.children) {
        check(stop_);
        const std::string name(short_name.view());
        const std::string child_path = path.empty() ? name : path + "/" + name;
        with_context("writing '" + printable(child_path) + "'", [&, &key = name, &child = node] {
            if (child.is_directory()) {
                if (::mkdirat(out, key.c_str(), 0700) != 0) throw_errno("making a directory");
                const UniqueFd dir = open_dir_at(out, key);
                directory(*child.directory(), dir.get(), child_path);
            } else {
                leaf(child.leaf(), out, key, child_path);
            }
            set_metadata(out, key, child);
        });
        crash_point("update.entry-written");
    }
}

void Checkout::leaf(const std::shared_ptr<image::Inode>& inode,
                    int dir,
                    const std::string& name,
                    const std::string& path) {
    const auto [first, is_new] = first_names_.try_emplace(inode.get(), path);
    if (is_new) {
        create(*inode, dir, name.c_str());
        return;
    }
    if (::linkat(top_, first->second.c_str(), dir, name.c_str(), 0) != 0)
        throw_errno("making a hard link");
}

void Checkout::regular(const image::Inode& inode, int dir, const char* name) {
    const UniqueFd out = open_at(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!inode.external) {
        write_all(out.get(), as_bytes(inode.content));
        return;
    }
    const UniqueFd object = store_.open_object(*inode.external);
    FdSource source(object.get());
    FdSink sink(out.get());
    copy_stream(source, sink);
}

void Checkout::create(const image::Inode& inode, int dir, const char* name) {
    int result = 0;
    switch (inode.type) {
        case image::FileType::Regular:
            regular(inode, dir, name);
            break;
        case image::FileType::Symlink:
            result = ::symlinkat(inode.content.c_str(), dir, name);
            break;
        case image::FileType::Fifo:
            result = ::mkfifoat(dir, name, 0600);
            break;
        case image::FileType::Socket:
            result = ::mknodat(dir, name, S_IFSOCK | 0600, 0);
            break;
        case image::FileType::CharDevice:
            result = ::mknodat(dir, name, S_IFCHR | 0600, inode.rdev);
            break;
        case image::FileType::BlockDevice:
            result = ::mknodat(dir, name, S_IFBLK | 0600, inode.rdev);
            break;
        case image::FileType::Directory:
            throw Error(ErrorCode::Internal, "a directory among the leaves");
    }
    if (result != 0) throw_errno("making a file");
}

}  // namespace

void check_out(const store::Repository& store,
               const image::FileTree& tree,
               const std::string& path,
               int out,
               const std::stop_token& stop) {
    const image::Node* const node = tree.lookup(path);
    if (node == nullptr) return;
    if (!node->is_directory()) {
        throw Error(ErrorCode::BadFormat,
                    "'/" + printable(path) + "' of the image is a " +
                        std::string(to_string(node->type())) + ", expected a directory");
    }
    Checkout(store, out, stop).directory(*node->directory(), out, "");
    set_metadata(out, ".", *node);
}

}  // namespace cfs::update
