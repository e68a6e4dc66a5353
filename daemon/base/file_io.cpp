// SPDX-License-Identifier: Apache-2.0
#include "base/file_io.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cfs {
namespace {

/// Repeats a system call while a signal interrupts it.
template <typename Call>
auto retry_eintr(Call call) {
    decltype(call()) result;
    do {
        result = call();
    } while (result < 0 && errno == EINTR);
    return result;
}

}  // namespace

std::size_t read_some(int fd, std::span<std::uint8_t> buffer) {
    const ssize_t n = retry_eintr([&] { return ::read(fd, buffer.data(), buffer.size()); });
    if (n < 0) throw_errno("reading");
    return static_cast<std::size_t>(n);
}

void pread_exact(int fd, std::span<std::uint8_t> buffer, std::uint64_t offset) {
    while (!buffer.empty()) {
        const ssize_t n = retry_eintr(
            [&] { return ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset)); });
        if (n < 0) throw_errno("reading");
        if (n == 0) throw Error(ErrorCode::BadFormat, "the file ends too early");
        buffer = buffer.subspan(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
    }
}

void write_all(int fd, ByteView data) {
    while (!data.empty()) {
        const ssize_t n = retry_eintr([&] { return ::write(fd, data.data(), data.size()); });
        if (n < 0) throw_errno("writing");
        data = data.subspan(static_cast<std::size_t>(n));
    }
}

Bytes read_whole(int fd, std::size_t limit) {
    Bytes out;
    Bytes chunk(std::size_t{64} * 1024);
    std::uint64_t offset = 0;
    for (;;) {
        const ssize_t n = retry_eintr(
            [&] { return ::pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(offset)); });
        if (n < 0) throw_errno("reading");
        if (n == 0) return out;
        const auto count = static_cast<std::size_t>(n);
        if (count > limit - out.size()) {
            throw Error(ErrorCode::BadFormat,
                        "the file is larger than the " + std::to_string(limit) + " bytes allowed");
        }
        out.insert(out.end(), chunk.begin(), chunk.begin() + n);
        offset += count;
    }
}

std::uint64_t file_size(int fd) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) throw_errno("examining a file");
    return static_cast<std::uint64_t>(st.st_size);
}

void fsync_file(int fd, std::string_view name) {
    if (retry_eintr([&] { return ::fsync(fd); }) != 0) {
        throw_errno("syncing '" + std::string(name) + "'");
    }
}

void sync_file_system(int fd, std::string_view name) {
    if (retry_eintr([&] { return ::syncfs(fd); }) != 0) {
        throw_errno("syncing the file system of '" + std::string(name) + "'");
    }
}

void drop_cache(int fd) {
    (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

UniqueFd duplicate_fd(int fd) {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!copy) throw_errno("duplicating a descriptor");
    return copy;
}

}  // namespace cfs
