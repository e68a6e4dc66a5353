// SPDX-License-Identifier: Apache-2.0
/// \file Reading, writing and syncing through descriptors. All functions retry EINTR and throw
/// Error.
#pragma once

#include "base/bytes.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cfs {

/// Reads from the current position; 0 at the end.
[[nodiscard]] std::size_t read_some(int fd, std::span<std::uint8_t> buffer);

/// Reads exactly buffer.size() bytes at `offset`, or throws BadFormat when the file is shorter.
void pread_exact(int fd, std::span<std::uint8_t> buffer, std::uint64_t offset);

/// Writes all of `data` at the current position.
void write_all(int fd, ByteView data);

/// Whole content from offset 0; BadFormat when it is longer than `limit` bytes.
[[nodiscard]] Bytes read_whole(int fd, std::size_t limit);

/// Regular file's size in bytes.
[[nodiscard]] std::uint64_t file_size(int fd);

/// fsync: the file's bytes and size survive a crash afterwards (its name may not: sync its
/// directory too).
void fsync_file(int fd, std::string_view name);

/// syncfs: everything written to the file system that `fd` lies on survives a crash afterwards.
void sync_file_system(int fd, std::string_view name);

/// Drops the file's clean pages, so that the next read comes from the medium. Best effort.
void drop_cache(int fd);

/// A second descriptor for the same open file, close-on-exec.
[[nodiscard]] UniqueFd duplicate_fd(int fd);

/// Reads `fd` from its current position to the end. Does not own the descriptor.
class FdSource final : public Source {
 public:
    explicit FdSource(int fd) : fd_(fd) {}

    [[nodiscard]] std::size_t read(std::span<std::uint8_t> buffer) override {
        return read_some(fd_, buffer);
    }

 private:
    int fd_;
};

/// Appends to `fd`. Does not own the descriptor.
class FdSink final : public Sink {
 public:
    explicit FdSink(int fd) : fd_(fd) {}

    void write(ByteView data) override { write_all(fd_, data); }

 private:
    int fd_;
};

}  // namespace cfs
