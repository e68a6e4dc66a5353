// SPDX-License-Identifier: Apache-2.0
#include "base/cores.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "crypto/fsverity.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace cfs {
namespace {

constexpr std::size_t kBuffer = std::size_t{256} * 1024;
/// Below this, threads cost more than they bring.
constexpr std::uint64_t kWorthThreads = std::uint64_t{4} << 20;
/// What the threads share out at once: bounds the memory for its hashes.
constexpr std::uint64_t kWindow = std::uint64_t{64} << 20;
constexpr unsigned kMaxThreads = 8;

/// 0 at the end of the file.
std::size_t read_at(int fd, std::span<std::uint8_t> buffer, std::uint64_t offset) {
    for (;;) {
        const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EINTR) throw_errno("reading a file to hash it");
    }
}

void hash_from(VerityHasher& hasher, int fd, std::uint64_t offset) {
    Bytes buffer(kBuffer);
    while (const std::size_t n = read_at(fd, buffer, offset)) {
        hasher.update(ByteView(buffer).first(n));
        offset += n;
    }
}

/// The hashes of the whole blocks of one window, made by several threads.
class Window {
 public:
    Window(int fd, HashAlgorithm algorithm, std::uint64_t begin, std::uint64_t size)
        : fd_(fd),
          algorithm_(algorithm),
          begin_(begin),
          size_(size),
          hashes_(size / kVerityBlock * digest_size(algorithm)) {}

    /// False when the file has become shorter meanwhile.
    bool run(unsigned threads) {
        {
            std::vector<std::jthread> others;
            for (unsigned i = 1; i < threads; ++i)
                others.emplace_back([this] { work(); });
            work();
        }
        if (failure_) std::rethrow_exception(failure_);
        return !shorter_;
    }

    [[nodiscard]] ByteView hashes() const { return hashes_; }

 private:
    void work() noexcept {
        try {
            Bytes buffer(kBuffer);
            Hasher hasher(algorithm_);
            while (!shorter_) {
                const std::uint64_t at = next_.fetch_add(kBuffer);
                if (at >= size_) return;
                const std::size_t wanted = std::min<std::uint64_t>(kBuffer, size_ - at);
                hash_piece(std::span(buffer).first(wanted), at, hasher);
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            failure_ = std::current_exception();
        }
    }

    void hash_piece(std::span<std::uint8_t> buffer, std::uint64_t at, Hasher& hasher) {
        for (std::size_t filled = 0; filled < buffer.size();) {
            const std::size_t n = read_at(fd_, buffer.subspan(filled), begin_ + at + filled);
            if (n == 0) {
                shorter_ = true;
                return;
            }
            filled += n;
        }
        const std::size_t hash_size = digest_size(algorithm_);
        hash_blocks(hasher,
                    buffer,
                    std::span(hashes_).subspan(at / kVerityBlock * hash_size,
                                               buffer.size() / kVerityBlock * hash_size));
    }

    const int fd_;
    const HashAlgorithm algorithm_;
    const std::uint64_t begin_;
    const std::uint64_t size_;
    Bytes hashes_;
    std::atomic<std::uint64_t> next_ = 0;
    std::atomic<bool> shorter_ = false;
    std::mutex mutex_;
    std::exception_ptr failure_;
};

}  // namespace

Digest verity_digest_of_file(HashAlgorithm algorithm, int fd) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) throw_errno("reading a file's size to hash it");
    const auto size = static_cast<std::uint64_t>(st.st_size);
    const unsigned threads = std::min(usable_cores(), kMaxThreads);
    VerityHasher hasher(algorithm);
    std::uint64_t done = 0;
    if (size >= kWorthThreads && threads > 1) {
        // The last block, whole or not, ends the file the usual way.
        const std::uint64_t end = (size - 1) / kVerityBlock * kVerityBlock;
        while (done < end) {
            Window window(fd, algorithm, done, std::min(kWindow, end - done));
            if (!window.run(threads)) break;
            hasher.update_with_hashes(window.hashes());
            done += std::min(kWindow, end - done);
        }
        if (done < end) {
            // It shrinks while we read: what is left of it counts, from the start.
            hasher = VerityHasher(algorithm);
            done = 0;
        }
    }
    hash_from(hasher, fd, done);
    return hasher.finish();
}

}  // namespace cfs
