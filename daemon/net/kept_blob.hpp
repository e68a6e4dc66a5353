// SPDX-License-Identifier: Apache-2.0
/// \file What came of a blob before its transfer was interrupted.
#pragma once

#include "base/unique_fd.hpp"
#include "net/oci_types.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

namespace cfs::net {

/// Where interrupted blobs are kept; a value.
struct KeepOptions {
    /// Of the caller's own, mode 0700, made when missing; empty: nothing is kept.
    std::string dir;
    std::uint64_t least = std::uint64_t{8} << 20;  ///< smaller blobs are fetched again, in bytes
    std::uint64_t most = 0;  ///< bytes of one blob that are kept; the rest is fetched again
    /// Bytes of the file system that are left to others, at most a 64th of it.
    std::uint64_t keep_free = 0;
};

/// The start of one blob in `<algorithm>-<hex>.part`, and in `.marks` beside it the digests of its
/// first n bytes for growing n. What lies behind the last mark that fits is not believed: neither
/// file is ever synced, and after a power cut the marks tell how much of the other survived. Only
/// the digest over the whole blob tells that the bytes are the right ones. One thread; a second
/// object for the same blob, in any process, keeps nothing.
class KeptBlob {
 public:
    /// What is there already is read and hashed. Never fails but for Cancelled: what goes wrong is
    /// logged, and the blob fetched as if nothing was kept.
    /// \return nullptr: of this blob nothing is kept
    static std::unique_ptr<KeptBlob> open(const KeepOptions& options,
                                          const Descriptor& blob,
                                          const std::stop_token& stop);
    KeptBlob(const KeptBlob&) = delete;
    KeptBlob& operator=(const KeptBlob&) = delete;
    ~KeptBlob() = default;

    /// Bytes from the blob's start on.
    [[nodiscard]] std::uint64_t size() const { return size_; }

    /// Gives what was there when it was opened. \throws Error Io, Cancelled, and what `sink` throws
    void replay(Sink& sink, const std::stop_token& stop) const;

    /// The bytes that follow. A full disk ends the keeping, never the transfer.
    void append(ByteView data) noexcept;

    /// Whether it is time for mark().
    [[nodiscard]] bool wants_mark() const { return size_ - marked_ >= kMarkEvery; }

    /// \param digest of the first size() bytes
    void mark(const Digest& digest) noexcept;

 private:
    static constexpr std::uint64_t kMarkEvery = std::uint64_t{1} << 20;

    KeptBlob(UniqueFd dir, std::string name, const KeepOptions& options, std::uint64_t blob_size);
    void open_files();
    void believe(const Descriptor& blob, const std::stop_token& stop);
    void give_up(const char* why) noexcept;

    UniqueFd dir_;
    std::string name_;
    std::uint64_t most_;
    std::uint64_t keep_free_;
    UniqueFd part_;   ///< invalid: nothing is kept any more
    UniqueFd marks_;  ///< append-only
    std::uint64_t size_ = 0;
    std::uint64_t marked_ = 0;
};

/// Bytes of it that need not be fetched, by its last mark.
[[nodiscard]] std::uint64_t kept_size(const KeepOptions& options, const Descriptor& blob);

/// Throws away what is kept of `blob`. Never fails.
void forget_kept(const KeepOptions& options, const Descriptor& blob) noexcept;

/// Throws away what is kept of all others than `wanted`, in no use and of no blob we know. Never
/// fails.
void prune_kept(const KeepOptions& options, std::span<const Descriptor> wanted) noexcept;

}  // namespace cfs::net
