// SPDX-License-Identifier: Apache-2.0
#include "base/publish_file.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cfs {
namespace {

constexpr mode_t kMode = 0644;

/// Where it lies and what it is called there.
struct Place {
    UniqueFd dir;
    std::string name;
    std::string temporary;
};

Place find_place(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || slash + 1 == path.size())
        throw Error(ErrorCode::InvalidArgs, "'" + path + "' is no absolute path of a file");
    const std::string name = path.substr(slash + 1);
    // Two programs of ours may write the same file: each has a temporary one of its own.
    const std::string temporary = "." + name + "." + std::to_string(::getpid()) + ".new";
    return {open_root(slash == 0 ? "/" : path.substr(0, slash)), name, temporary};
}

void remove(const Place& place, const std::string& name) {
    if (::unlinkat(place.dir.get(), name.c_str(), 0) == 0 || errno == ENOENT) return;
    // Where nothing may be written and there is nothing, nothing is to be done.
    const int failed = errno;
    if (!stat_at(place.dir.get(), name)) return;
    throw_errno(failed, "removing '" + name + "'");
}

/// Without a name where the file system can do that, so that nobody sees it half written.
UniqueFd make_temporary(const Place& place, bool& is_named) {
    UniqueFd fd(::openat(place.dir.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, kMode));
    is_named = !fd && (errno == EOPNOTSUPP || errno == EISDIR);
    if (is_named) {
        fd.reset(::openat(place.dir.get(),
                          place.temporary.c_str(),
                          O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC,
                          kMode));
    }
    if (!fd) throw_errno("making a file");
    return fd;
}

void give_name(const Place& place, int fd) {
    const std::string source = "/proc/self/fd/" + std::to_string(fd);
    const char* name = place.temporary.c_str();
    if (::linkat(AT_FDCWD, source.c_str(), place.dir.get(), name, AT_SYMLINK_FOLLOW) != 0)
        throw_errno("naming a file");
}

void write_to(const Place& place, std::string_view text) {
    remove(place, place.temporary);
    bool is_named = false;
    const UniqueFd fd = make_temporary(place, is_named);
    write_all(fd.get(), as_bytes(text));
    if (::fchmod(fd.get(), kMode) != 0) throw_errno("setting its mode");
    fsync_file(fd.get(), place.name);
    if (!is_named) give_name(place, fd.get());
    const int dir = place.dir.get();
    if (::renameat(dir, place.temporary.c_str(), dir, place.name.c_str()) != 0)
        throw_errno("renaming into place");
}

}  // namespace

void publish_file(const std::string& path, std::string_view text) {
    const Place place = find_place(path);
    try {
        with_context("writing '" + path + "'", [&] { write_to(place, text); });
    } catch (...) {
        (void)::unlinkat(place.dir.get(), place.temporary.c_str(), 0);
        throw;
    }
}

void withdraw_file(const std::string& path) {
    try {
        const Place place = find_place(path);
        remove(place, place.temporary);
        remove(place, place.name);
    } catch (const Error& e) {
        if (e.code() != ErrorCode::NotFound) throw;
    }
}

}  // namespace cfs
