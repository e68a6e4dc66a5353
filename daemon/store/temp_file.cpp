// SPDX-License-Identifier: Apache-2.0
#include "store/temp_file.hpp"

#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>

namespace cfs::store {
namespace {

constexpr mode_t kMode = 0644;
constexpr std::string_view kPrefix = ".tmp-object-";

bool no_unnamed_files(int err) {
    // EISDIR: what kernels and file systems without O_TMPFILE make of its bits.
    return err == EOPNOTSUPP || err == EISDIR || err == EINVAL;
}

UniqueFd open_unnamed(int dir) {
    int fd = -1;
    do {
        fd = ::openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, kMode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 && !no_unnamed_files(errno)) throw_errno("creating a temporary file in the store");
    return UniqueFd(fd);
}

}  // namespace

std::string random_alnum12() {
    constexpr std::string_view kAlphabet =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::random_device source;
    std::uniform_int_distribution<std::size_t> pick(0, kAlphabet.size() - 1);
    std::string out(12, '0');
    std::generate(out.begin(), out.end(), [&] { return kAlphabet[pick(source)]; });
    return out;
}

TempFile::TempFile(int dir, Naming naming) : dir_(dir) {
    if (naming == Naming::Unnamed) fd_ = open_unnamed(dir);
    if (!fd_) {
        std::string name = std::string(kPrefix) + random_alnum12();
        fd_ = open_at(dir, name, O_RDWR | O_CREAT | O_EXCL, kMode);
        name_ = std::move(name);
    }
    // The mode is the format's; the process's umask has no say.
    if (::fchmod(fd_.get(), kMode) != 0) throw_errno("setting the mode of a new object");
}

TempFile::~TempFile() {
    if (!name_.empty()) (void)::unlinkat(dir_, name_.c_str(), 0);
}

void TempFile::reopen_read_only() {
    const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
    UniqueFd read_only(::open(self.c_str(), O_RDONLY | O_CLOEXEC));
    if (!read_only) throw_errno("opening '" + self + "' (is /proc mounted?)");
    fd_ = std::move(read_only);
}

int TempFile::link_to(const std::string& path) const {
    if (!name_.empty()) return ::linkat(dir_, name_.c_str(), dir_, path.c_str(), 0);
    const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
    return ::linkat(AT_FDCWD, self.c_str(), dir_, path.c_str(), AT_SYMLINK_FOLLOW);
}

TempFile::Published TempFile::publish(const std::string& path) {
    if (link_to(path) == 0) return Published::Done;
    if (errno == EEXIST) return Published::Exists;
    if (errno == ENOENT) return Published::NoDirectory;
    throw_errno("giving a new file the name '" + path + "'");
}

void TempFile::publish_over(const std::string& path) {
    const std::string step = std::string(kPrefix) + random_alnum12();
    if (link_to(step) != 0) throw_errno("giving a new file the name '" + step + "'");
    crash_point("store.replacement-named");
    if (::renameat(dir_, step.c_str(), dir_, path.c_str()) != 0) {
        const int err = errno;
        (void)::unlinkat(dir_, step.c_str(), 0);
        throw_errno(err, "replacing '" + path + "'");
    }
}

}  // namespace cfs::store
