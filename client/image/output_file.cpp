// SPDX-License-Identifier: Apache-2.0
#include "client/image/output_file.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cfs::client {
namespace {

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// A name beside `path` that nobody has.
std::string free_name(const std::string& path) {
    static unsigned count = 0;
    const std::size_t slash = path.rfind('/');
    const std::size_t at = slash == std::string::npos ? 0 : slash + 1;
    return path.substr(0, at) + ".cfsctl-" + std::to_string(::getpid()) + "-" +
           std::to_string(count++);
}

[[noreturn]] void throw_exists(const std::string& path) {
    throw Error(ErrorCode::InvalidArgs,
                "'" + path + "' exists already, and it is not replaced",
                "name the file to write with --output");
}

}  // namespace

OutputFile::OutputFile(std::string path, OutputKind kind, mode_t mode)
    : path_(std::move(path)), kind_(kind), mode_(mode) {
    if (path_.empty())
        throw Error(ErrorCode::InvalidArgs, "OUT is empty", "name the file to write");
    struct stat found {};
    if (kind_ == OutputKind::New) {
        // Early, so that nobody waits for nothing; what decides is commit().
        if (::lstat(path_.c_str(), &found) == 0) throw_exists(path_);
        open_temporary();
        return;
    }
    const bool standard = path_ == "-";
    const bool exists = !standard && ::stat(path_.c_str(), &found) == 0;
    if (exists && S_ISDIR(found.st_mode)) {
        throw Error(
            ErrorCode::InvalidArgs, "OUT '" + path_ + "' is a directory", "name the file to write");
    }
    direct_ = standard || (exists && !S_ISREG(found.st_mode));
    if (direct_) {
        open_direct();
    } else {
        open_temporary();
    }
}

void OutputFile::open_direct() {
    if (path_ == "-") {
        fd_ = duplicate_fd(STDOUT_FILENO);
    } else {
        fd_.reset(::open(path_.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
        if (!fd_) throw_errno("opening '" + path_ + "'");
        struct stat opened {};
        // A pipe that became a link to a file: that would be overwritten in place.
        if (::fstat(fd_.get(), &opened) != 0 || S_ISREG(opened.st_mode))
            throw Error(ErrorCode::InvalidArgs, "OUT '" + path_ + "' changed", "try again");
    }
    if (::isatty(fd_.get()) == 0) return;
    throw Error(ErrorCode::InvalidArgs,
                "binary output is not written to a terminal",
                "name a file, or redirect standard output");
}

void OutputFile::open_temporary() {
    // Without a name nothing is left even by a kill; not every file system can do that.
    fd_.reset(::open(parent_of(path_).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode_));
    if (fd_) return;
    if (errno != EOPNOTSUPP && errno != EISDIR) throw_errno("writing '" + path_ + "'");
    temporary_ = free_name(path_);
    fd_.reset(::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode_));
    if (fd_) return;
    temporary_.clear();
    throw_errno("writing '" + path_ + "'");
}

void OutputFile::write(ByteView data) {
    with_context("writing '" + path_ + "'", [&] { write_all(fd_.get(), data); });
}

void OutputFile::name_temporary() {
    if (!temporary_.empty()) return;
    const std::string source = "/proc/self/fd/" + std::to_string(fd_.get());
    const std::string name = free_name(path_);
    if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0)
        throw_errno("naming '" + path_ + "'");
    temporary_ = name;
}

void OutputFile::replace() {
    name_temporary();
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_errno("writing '" + path_ + "'");
    temporary_.clear();
}

void OutputFile::appear() {
    int failed = 0;
    if (temporary_.empty()) {
        const std::string source = "/proc/self/fd/" + std::to_string(fd_.get());
        failed = ::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW);
    } else {
        failed =
            ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
        const bool renamed = failed == 0;
        // Not every file system has that flag; a link does not replace either.
        if (!renamed && errno == EINVAL)
            failed = ::linkat(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), 0);
        if (renamed) temporary_.clear();  // else it is removed at the end
    }
    if (failed == 0) return;
    if (errno == EEXIST) throw_exists(path_);
    throw_errno("writing '" + path_ + "'");
}

void OutputFile::commit() {
    if (direct_) {
        fd_.reset();
        return;
    }
    fsync_file(fd_.get(), path_);
    if (kind_ == OutputKind::New) {
        appear();
    } else {
        replace();
    }
    fd_.reset();
    const UniqueFd parent = open_root(parent_of(path_));
    fsync_file(parent.get(), parent_of(path_));
}

OutputFile::~OutputFile() {
    if (!temporary_.empty()) static_cast<void>(::unlink(temporary_.c_str()));
}

}  // namespace cfs::client
