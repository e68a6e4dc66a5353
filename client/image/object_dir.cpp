// SPDX-License-Identifier: Apache-2.0
#include "client/image/object_dir.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "crypto/fsverity.hpp"
#include "image/tree.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>

namespace cfs::client {
namespace {

constexpr mode_t kDirMode = 0755;
constexpr mode_t kFileMode = 0644;

std::string fd_path(int fd) {
    return "/proc/self/fd/" + std::to_string(fd);
}

void copy_content(int from, int to) {
    if (::ioctl(to, FICLONE, from) == 0) return;
    Bytes buffer(std::size_t{256} * 1024);
    off_t offset = 0;
    for (;;) {
        const ssize_t n = ::pread(from, buffer.data(), buffer.size(), offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw_errno("reading a file to copy it");
        if (n == 0) return;
        write_all(to, ByteView(buffer).first(static_cast<std::size_t>(n)));
        offset += n;
    }
}

UniqueFd make_temporary(int dir, const std::string& path) {
    UniqueFd fd(::openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, kFileMode));
    if (fd) return fd;
    if (errno == EOPNOTSUPP) {
        throw Error(ErrorCode::Unsupported,
                    "'" + path + "' lies on a file system without unnamed files (O_TMPFILE)",
                    "choose a directory on ext4, xfs, btrfs or tmpfs");
    }
    throw_errno("making an object in '" + path + "'");
}

}  // namespace

ObjectDir::ObjectDir(std::string path, HashAlgorithm algorithm)
    : path_(std::move(path)), algorithm_(algorithm) {
    if (::mkdir(path_.c_str(), kDirMode) != 0 && errno != EEXIST)
        throw_errno("making the directory '" + path_ + "'");
    dir_ = open_root(path_);
}

bool ObjectDir::has(const Digest& digest) const {
    struct stat found {};
    if (::fstatat(dir_.get(), image::object_path(digest).c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    if (errno == ENOENT) return false;
    throw_errno("looking for an object in '" + path_ + "'");
}

void ObjectDir::put(int file, const Digest& digest) const {
    if (has(digest)) return;
    const std::string name = image::object_path(digest);
    make_dirs_at(dir_.get(), split_parent(name).first, kDirMode);
    UniqueFd writer = make_temporary(dir_.get(), path_);
    copy_content(file, writer.get());
    if (::fchmod(writer.get(), kFileMode) != 0) throw_errno("setting an object's mode");
    const UniqueFd object(::open(fd_path(writer.get()).c_str(), O_RDONLY | O_CLOEXEC));
    if (!object) throw_errno("opening a new object again");
    writer.reset();
    // The copy is ours alone, so what it hashes to now is what it holds.
    if (verity_digest_of_file(algorithm_, object.get()) != digest) {
        throw Error(ErrorCode::Busy,
                    "a file changed while it was copied",
                    "scan a tree that nobody writes to");
    }
    static_cast<void>(enable_verity(object.get(), algorithm_));
    if (::linkat(
            AT_FDCWD, fd_path(object.get()).c_str(), dir_.get(), name.c_str(), AT_SYMLINK_FOLLOW) !=
            0 &&
        errno != EEXIST) {
        throw_errno("naming an object in '" + path_ + "'");
    }
}

void ObjectDir::sync() const {
    sync_file_system(dir_.get(), path_);
}

}  // namespace cfs::client
