// SPDX-License-Identifier: Apache-2.0
#include "initrd/tree.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "mount/mount_call.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace cfs::initrd {
namespace {

constexpr const char* kScaffold = "/initrd";

void change_mount(int mount, std::uint64_t set, std::uint64_t clear, const std::string& name) {
    struct mount_attr attributes {};
    attributes.attr_set = set;
    attributes.attr_clr = clear;
    if (::mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        throw_errno("setting the flags of the mount of '" + name + "'");
}

std::string path_below(const std::string& root, const std::string& name) {
    return name.empty() ? root : root + "/" + name;
}

/// With owner, mode and time of the directory that the overlay hides: the upper one shows its own.
void make_upper(int layers, const struct stat& like) {
    if (::mkdirat(layers, "upper", like.st_mode & 07777) == 0) {
        const UniqueFd upper = open_dir_at(layers, "upper");
        const struct timespec times[] = {like.st_atim, like.st_mtim};
        if (::fchown(upper.get(), like.st_uid, like.st_gid) != 0 ||
            ::fchmod(upper.get(), like.st_mode & 07777) != 0 ||
            ::futimens(upper.get(), times) != 0) {
            throw_errno("giving an overlay's directory its owner, mode and time");
        }
    } else if (errno != EEXIST) {
        throw_errno("making an overlay's directory");
    }
    if (::mkdirat(layers, "work", 0700) != 0 && errno != EEXIST)
        throw_errno("making an overlay's work directory");
}

}  // namespace

UniqueFd open_linked(int dir, const std::string& path, int flags) {
    struct open_how how {};
    how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (;;) {
        UniqueFd out(static_cast<int>(::syscall(SYS_openat2, dir, path.c_str(), &how, sizeof how)));
        if (out) return out;
        if (errno != EINTR && errno != EAGAIN) throw_errno("opening '" + path + "'");
    }
}

UniqueFd clone_mount(int dir, const std::string& name) {
    UniqueFd out(::open_tree(
        dir,
        "",
        static_cast<unsigned>(AT_EMPTY_PATH) | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!out) throw_errno("making a mount of '" + name + "'");
    return out;
}

void restrict_mount(int mount, const std::string& name) {
    change_mount(mount, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, 0, name);
}

void make_writable(int dir, const std::string& path) {
    if (!free_space(dir).read_only) return;
    const UniqueFd context(::fspick(dir, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
    const bool done = context &&
                      ::fsconfig(context.get(), FSCONFIG_SET_FLAG, "rw", nullptr, 0) == 0 &&
                      ::fsconfig(context.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0) == 0;
    if (!done) {
        throw Error(ErrorCode::Io,
                    std::error_code(errno, std::generic_category()),
                    "the file system at '" + path +
                        "' is read-only, and /etc and /var need one "
                        "that is not",
                    "check it with fsck, and the disk's lock against writing");
    }
    change_mount(dir, 0, MOUNT_ATTR_RDONLY, path);
}

// Delegating, so that what throws in here does not leave the mount behind.
Scaffold::Scaffold(const std::string& dir) : Scaffold(Place{}, dir + kScaffold) {
    for (const std::string& made : {dir, path_}) {
        if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST)
            throw_errno("making the directory '" + made + "'");
    }
    mount::MountContext context("tmpfs");
    context.set("source", "cfs-prepare-root");
    context.set("mode", "0700");
    context.create();
    fd_ = context.mount(false);
    mount::attach_mount(fd_.get(), open_root(path_).get(), path_);
    // A mount that is to be moved must not have a parent that is shared.
    if (::mount(nullptr, path_.c_str(), nullptr, MS_PRIVATE, nullptr) != 0)
        throw_errno("making '" + path_ + "' private");
    if (::mkdirat(fd_.get(), "root", 0755) != 0) throw_errno("making the root's place");
}

Scaffold::~Scaffold() {
    static_cast<void>(::umount2(path_.c_str(), MNT_DETACH));
    static_cast<void>(::rmdir(path_.c_str()));
}

void Scaffold::attach(int mount, const std::string& name) const {
    const std::string path = path_below(root(), name);
    mount::attach_mount(mount, open_root(path).get(), "/" + name);
}

void Scaffold::overlay(int layers, const std::string& name, const std::string& source) const {
    const std::string path = path_below(root(), name);
    const UniqueFd lower = open_root(path);
    struct stat like {};
    if (::fstat(lower.get(), &like) != 0) throw_errno("looking at '/" + name + "'");
    make_upper(layers, like);
    const UniqueFd upper = open_dir_at(layers, "upper");
    const UniqueFd work = open_dir_at(layers, "work");
    mount::MountContext context("overlay");
    context.set("source", source);
    context.set("lowerdir", mount::descriptor_path(lower.get()));
    context.set("upperdir", mount::descriptor_path(upper.get()));
    context.set("workdir", mount::descriptor_path(work.get()));
    context.create();
    const UniqueFd made = context.mount(false);
    if (!name.empty()) restrict_mount(made.get(), name);
    mount::attach_mount(made.get(), lower.get(), "/" + name);
}

void Scaffold::transient(const std::string& name, const std::string& source) const {
    const std::string place = "transient-" + name;
    if (::mkdirat(fd_.get(), place.c_str(), 0700) != 0) throw_errno("making '" + place + "'");
    mount::MountContext context("tmpfs");
    context.set("source", "cfs-prepare-root");
    context.create();
    const UniqueFd memory = context.mount(false);
    // An overlay takes only layers that are attached somewhere.
    const std::string path = path_ + "/" + place;
    mount::attach_mount(memory.get(), open_root(path).get(), path);
    overlay(open_root(path).get(), name, source);
}

void Scaffold::move_root(const std::string& target) const {
    const UniqueFd to = open_root(target);
    if (::move_mount(AT_FDCWD, root().c_str(), to.get(), "", MOVE_MOUNT_T_EMPTY_PATH) != 0)
        throw_errno("moving the new root to '" + target + "'");
}

}  // namespace cfs::initrd
