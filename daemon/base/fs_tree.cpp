// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace cfs {
namespace {

constexpr int kMaxDepth = 1024;
/// With these on a file nobody removes it, with these on a directory nobody removes a name in it,
/// root included. People set them with chattr(1), on /etc/resolv.conf for one.
constexpr int kProtection = FS_IMMUTABLE_FL | FS_APPEND_FL;

[[noreturn]] void fail(int err, const std::string& path) {
    try {
        throw_errno(err, "removing '" + printable(path, 400) + "'");
    } catch (Error& e) {
        if (err == EPERM) {
            e.set_hint(
                "as root, 'chattr -i -a' on it and on its directory, or remove it by hand, then "
                "try again");
        } else if (err == EBUSY) {
            e.set_hint("unmount what is mounted there, then try again");
        }
        throw;
    }
}

/// True if `fd` was protected and no longer is. A file system without flags protects nothing.
bool lift_protection(int fd) {
    int flags = 0;
    if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0 || (flags & kProtection) == 0) return false;
    flags &= ~kProtection;
    return ::ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

void remove_children(int dir, const std::string& path, int depth);

void remove_directory(int dir, const std::string& name, const std::string& path, int depth) {
    {
        const auto child = find_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (!child) return;
        (void)lift_protection(child->get());
        remove_children(child->get(), path, depth + 1);
    }
    if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) fail(errno, path);
}

/// \pre unlinking it gave EPERM
void remove_protected_file(int dir, const std::string& name, const std::string& path) {
    const auto file = find_at(dir, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    if (!file) return;
    if (!lift_protection(file->get())) fail(EPERM, path);
    if (::unlinkat(dir, name.c_str(), 0) != 0 && errno != ENOENT) fail(errno, path);
}

/// \param path the same entry from where the removal began, for messages
void remove_entry(int dir, const std::string& name, const std::string& path, int depth) {
    if (::unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT) return;
    const int err = errno;
    // EPERM alone does not tell: a protected file, a directory with protection, or another system.
    if (err != EISDIR && err != EPERM) fail(err, path);
    const auto st = stat_at(dir, name);
    if (!st) return;
    if (S_ISDIR(st->st_mode)) {
        remove_directory(dir, name, path, depth);
    } else if (S_ISREG(st->st_mode)) {
        remove_protected_file(dir, name, path);
    } else {
        fail(err, path);
    }
}

void remove_children(int dir, const std::string& path, int depth) {
    if (depth > kMaxDepth) {
        throw Error(ErrorCode::BadFormat,
                    "'" + printable(path, 400) + "' is nested too deeply to remove",
                    "remove the tree by hand with 'rm -rf', then try again");
    }
    for (const std::string& name : list_dir(dir))
        remove_entry(dir, name, path + "/" + name, depth);
}

}  // namespace

std::vector<std::string> list_dir(int dir) {
    // A fresh open: the position of a directory stream is shared between duplicates.
    UniqueFd fd(::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) throw_errno("listing a directory");
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), ::closedir);
    if (!stream) throw_errno("listing a directory");
    (void)fd.release();
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
        errno = 0;
    }
    if (errno != 0) throw_errno("listing a directory");
    std::sort(names.begin(), names.end());
    return names;
}

void remove_tree_at(int dir, const std::string& path) {
    const auto names = split_parent(path);
    const auto parent_fd = find_at(dir, names.first, O_RDONLY | O_DIRECTORY);
    if (!parent_fd) return;
    with_context("removing '" + printable(path, 400) + "'",
                 [&] { remove_entry(parent_fd->get(), names.second, path, 0); });
}

}  // namespace cfs
