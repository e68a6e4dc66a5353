// SPDX-License-Identifier: Apache-2.0
#include "boot/staging.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "crypto/hasher.hpp"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace cfs::boot {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr std::size_t kAlignment = 4096;  // of memory and lengths, for reads around the cache

struct Release {
    void operator()(std::uint8_t* memory) const { std::free(memory); }
};

std::unique_ptr<std::uint8_t[], Release> aligned_buffer() {
    auto* memory = static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, kChunk));
    if (memory == nullptr) throw std::bad_alloc();
    return std::unique_ptr<std::uint8_t[], Release>(memory);
}

void set_direct(int fd, bool on) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) return;
    // Refused where the file system cannot: then the dropped cache has to do.
    (void)::fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
}

/// pread that turns to ordinary reads when an uncached one is refused at this place.
std::size_t read_uncached(int fd, std::span<std::uint8_t> buffer, std::uint64_t offset) {
    for (;;) {
        const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
        if (n >= 0) return static_cast<std::size_t>(n);
        const int err = errno;
        if (err == EINTR) continue;
        const int flags = ::fcntl(fd, F_GETFL);
        if (err != EINVAL || flags < 0 || (flags & O_DIRECT) == 0) throw_errno(err, "reading");
        set_direct(fd, false);
    }
}

}  // namespace

PendingFile::PendingFile(int dir, std::string name)
    : dir_(dir),
      name_(std::move(name)),
      fd_(open_at(dir, name_, O_WRONLY | O_CREAT | O_EXCL, 0600)) {}

PendingFile::~PendingFile() {
    if (!kept_) (void)::unlinkat(dir_, name_.c_str(), 0);
}

void PendingFile::keep() {
    kept_ = true;
    fd_.reset();
}

CopyResult copy_durably(int from, int to, HashAlgorithm algorithm) {
    Hasher hasher(algorithm);
    CopyResult out;
    const auto buffer = aligned_buffer();
    const std::span<std::uint8_t> chunk(buffer.get(), kChunk);
    while (const std::size_t n = read_uncached(from, chunk, out.size)) {
        hasher.update(chunk.first(n));
        write_all(to, chunk.first(n));
        out.size += n;
    }
    out.digest = hasher.finish();
    fsync_file(to, "the copy");
    sync_file_system(to, "the copy");
    return out;
}

CopyResult hash_from_medium(int dir, const std::string& file, HashAlgorithm algorithm) {
    const UniqueFd fd = open_at(dir, file, O_RDONLY | O_NONBLOCK);
    drop_cache(fd.get());
    set_direct(fd.get(), true);
    Hasher hasher(algorithm);
    CopyResult out;
    const auto buffer = aligned_buffer();
    const std::span<std::uint8_t> chunk(buffer.get(), kChunk);
    while (const std::size_t n = read_uncached(fd.get(), chunk, out.size)) {
        hasher.update(chunk.first(n));
        out.size += n;
    }
    out.digest = hasher.finish();
    return out;
}

}  // namespace cfs::boot
