// SPDX-License-Identifier: Apache-2.0
#include "fake_verity.hpp"

#include "crypto/fsverity.hpp"

#include <fcntl.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <map>
#include <mutex>
#include <tuple>

namespace cfs::test {
namespace {

/// Inode numbers come back after a file is gone: the birth time tells them apart.
using FileId = std::tuple<std::uint64_t, std::int64_t, std::uint32_t>;

struct World {
    std::mutex mutex;
    bool alive = false;
    bool enabling = true;
    bool lying = false;
    std::map<FileId, Digest> files;
};

World& world() {
    static World instance;
    return instance;
}

FileId id_of(int fd) {
    struct statx st {};
    (void)::statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st);
    return {st.stx_ino, st.stx_btime.tv_sec, st.stx_btime.tv_nsec};
}

int fail(int err) {
    errno = err;
    return -1;
}

int enable(int fd, const struct fsverity_enable_arg& arg) {
    if (!world().enabling) return fail(EOPNOTSUPP);
    if ((::fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY) return fail(ETXTBSY);
    const FileId id = id_of(fd);
    if (world().files.count(id) != 0) return fail(EEXIST);
    const auto algorithm = static_cast<HashAlgorithm>(arg.hash_algorithm);
    const Digest digest = world().lying ? verity_digest(algorithm, as_bytes("other bytes"))
                                        : verity_digest_of_file(algorithm, fd);
    world().files.emplace(id, digest);
    return 0;
}

int measure(int fd, struct fsverity_digest& out) {
    const auto found = world().files.find(id_of(fd));
    if (found == world().files.end()) return fail(ENODATA);
    const ByteView bytes = found->second.bytes();
    out.digest_algorithm = static_cast<std::uint16_t>(found->second.algorithm());
    out.digest_size = static_cast<std::uint16_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), static_cast<std::uint8_t*>(out.digest));
    return 0;
}

}  // namespace

FakeVerity::FakeVerity() {
    world().alive = true;
    world().enabling = true;
    world().lying = false;
    world().files.clear();
}

FakeVerity::~FakeVerity() {
    world().alive = false;
}

void FakeVerity::stop_enabling() {
    world().enabling = false;
}

void FakeVerity::lie() {
    world().lying = true;
}

}  // namespace cfs::test

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
    va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    {
        const std::lock_guard guard(cfs::test::world().mutex);
        if (cfs::test::world().alive && request == FS_IOC_ENABLE_VERITY) {
            return cfs::test::enable(fd, *static_cast<struct fsverity_enable_arg*>(argument));
        }
        if (cfs::test::world().alive && request == FS_IOC_MEASURE_VERITY) {
            return cfs::test::measure(fd, *static_cast<struct fsverity_digest*>(argument));
        }
    }
    return static_cast<int>(::syscall(SYS_ioctl, fd, request, argument));
}
