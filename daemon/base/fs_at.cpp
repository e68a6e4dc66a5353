// SPDX-License-Identifier: Apache-2.0
#include "base/fs_at.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>

namespace cfs {
namespace {

int openat2_beneath(int dir, const char* path, int flags, mode_t mode) {
    struct open_how how {};
    how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    for (;;) {
        const long fd = ::syscall(SYS_openat2, dir, path, &how, sizeof how);
        // EAGAIN: a rename raced with the walk (openat2(2)).
        if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) return static_cast<int>(fd);
    }
}

std::string in_quotes(std::string_view doing, const std::string& path) {
    return std::string(doing) + " '" + printable(path, 400) + "'";
}

std::string random_suffix() {
    std::random_device source;
    Bytes bytes(6);
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(source()); });
    return to_hex(bytes);
}

/// A directory descriptor for the parent of `path`, and the last name: the *at calls that openat2
/// has no counterpart for work on those two, so that no earlier component can be a link.
struct Parent {
    UniqueFd dir;
    std::string name;
};

Parent open_parent(int dir, const std::string& path) {
    auto [parent, name] = split_parent(path);
    return {open_at(dir, parent, O_PATH | O_DIRECTORY), std::move(name)};
}

}  // namespace

std::pair<std::string, std::string> split_parent(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return {".", path};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

UniqueFd open_root(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) throw_errno(in_quotes("opening the directory", path));
    return fd;
}

UniqueFd open_at(int dir, const std::string& path, int flags, mode_t mode) {
    UniqueFd fd(openat2_beneath(dir, path.c_str(), flags, mode));
    if (!fd) throw_errno(in_quotes("opening", path));
    return fd;
}

std::optional<UniqueFd> find_at(int dir, const std::string& path, int flags) {
    UniqueFd fd(openat2_beneath(dir, path.c_str(), flags, 0));
    if (fd) return fd;
    if (errno == ENOENT) return std::nullopt;
    throw_errno(in_quotes("opening", path));
}

UniqueFd open_dir_at(int dir, const std::string& path) {
    return open_at(dir, path, O_RDONLY | O_DIRECTORY);
}

std::optional<struct stat> stat_at(int dir, const std::string& path) {
    const auto [parent, name] = split_parent(path);
    const auto parent_fd = find_at(dir, parent, O_PATH | O_DIRECTORY);
    if (!parent_fd) return std::nullopt;
    struct stat st {};
    if (::fstatat(parent_fd->get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return st;
    if (errno == ENOENT) return std::nullopt;
    throw_errno(in_quotes("examining", path));
}

void make_dirs_at(int dir, const std::string& path, mode_t mode) {
    std::size_t end = 0;
    while (end != std::string::npos) {
        end = path.find('/', end + 1);
        const Parent at = open_parent(dir, path.substr(0, end));
        if (::mkdirat(at.dir.get(), at.name.c_str(), mode) != 0 && errno != EEXIST) {
            throw_errno(in_quotes("creating the directory", path.substr(0, end)));
        }
    }
}

std::optional<std::string> read_link_at(int dir, const std::string& path) {
    const auto [parent, name] = split_parent(path);
    const auto parent_fd = find_at(dir, parent, O_PATH | O_DIRECTORY);
    if (!parent_fd) return std::nullopt;
    std::string target(4096, '\0');
    const ssize_t n = ::readlinkat(parent_fd->get(), name.c_str(), target.data(), target.size());
    if (n < 0 && (errno == ENOENT || errno == EINVAL)) return std::nullopt;
    if (n < 0) throw_errno(in_quotes("reading the link", path));
    target.resize(static_cast<std::size_t>(n));
    return target;
}

Bytes read_file_at(int dir, const std::string& path, std::size_t limit) {
    // O_NONBLOCK: a FIFO under that name must not stop us.
    const UniqueFd fd = open_at(dir, path, O_RDONLY | O_NONBLOCK);
    return with_context(in_quotes("reading", path), [&] { return read_whole(fd.get(), limit); });
}

std::optional<std::string> find_text_at(int dir, const std::string& path, std::size_t limit) {
    const auto fd = find_at(dir, path, O_RDONLY | O_NONBLOCK);
    if (!fd) return std::nullopt;
    return with_context(in_quotes("reading", path), [&] {
        const Bytes bytes = read_whole(fd->get(), limit);
        return std::string(as_text(bytes));
    });
}

void replace_file_at(int dir, const std::string& path, ByteView data, mode_t mode) {
    const Parent at = open_parent(dir, path);
    const UniqueFd parent = open_dir_at(at.dir.get(), ".");
    const std::string temporary = "." + at.name + "." + random_suffix();
    UniqueFd fd = open_at(parent.get(), temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
    try {
        with_context(in_quotes("writing", path), [&] {
            write_all(fd.get(), data);
            fsync_file(fd.get(), path);
            const char* name = at.name.c_str();
            if (::renameat(parent.get(), temporary.c_str(), parent.get(), name) != 0) {
                throw_errno("renaming into place");
            }
            fsync_file(parent.get(), path);
        });
    } catch (...) {
        (void)::unlinkat(parent.get(), temporary.c_str(), 0);
        throw;
    }
}

static void rename_with(int dir, const std::string& from, const std::string& to, unsigned flags) {
    const Parent source = open_parent(dir, from);
    const Parent target = open_parent(dir, to);
    if (::renameat2(
            source.dir.get(), source.name.c_str(), target.dir.get(), target.name.c_str(), flags) ==
        0) {
        return;
    }
    if (errno == EEXIST) {
        throw Error(ErrorCode::Busy, "'" + printable(to, 400) + "' exists already");
    }
    throw_errno("renaming '" + printable(from, 400) + "' to '" + printable(to, 400) + "'");
}

void rename_noreplace_at(int dir, const std::string& from, const std::string& to) {
    rename_with(dir, from, to, RENAME_NOREPLACE);
}

void rename_exchange_at(int dir, const std::string& one, const std::string& other) {
    rename_with(dir, one, other, RENAME_EXCHANGE);
}

bool unlink_at(int dir, const std::string& path) {
    const auto [parent, name] = split_parent(path);
    const auto parent_fd = find_at(dir, parent, O_PATH | O_DIRECTORY);
    if (!parent_fd) return false;
    if (::unlinkat(parent_fd->get(), name.c_str(), 0) == 0) return true;
    if (errno == ENOENT) return false;
    throw_errno(in_quotes("removing", path));
}

void fsync_dir_at(int dir, const std::string& path) {
    const UniqueFd fd = open_dir_at(dir, path);
    fsync_file(fd.get(), path);
}

FreeSpace free_space(int fd) {
    struct statvfs st {};
    if (::fstatvfs(fd, &st) != 0) throw_errno("asking for free space");
    FreeSpace out;
    out.available = std::uint64_t{st.f_bavail} * st.f_frsize;
    out.total = std::uint64_t{st.f_blocks} * st.f_frsize;
    out.block = st.f_frsize;
    out.read_only = (st.f_flag & ST_RDONLY) != 0;
    return out;
}

}  // namespace cfs
