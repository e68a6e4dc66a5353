// SPDX-License-Identifier: Apache-2.0
/// \file fs-verity digests: computed here, or enabled and measured by the kernel.
/// Format: Documentation/filesystems/fsverity.rst; blocks of 4096 bytes, no salt, no built-in
/// signature.
#pragma once

#include "base/unique_fd.hpp"
#include "crypto/digest.hpp"
#include "crypto/hasher.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cfs {

inline constexpr std::size_t kVerityBlock = 4096;

/// Streaming fs-verity digest in O(log n) memory, 64 KiB for a file that is not tiny. Order:
/// update()* finish(); finish() starts anew.
class VerityHasher {
 public:
    explicit VerityHasher(HashAlgorithm algorithm);

    void update(ByteView data);

    /// As update() with whole blocks of data, whose hashes `hashes` are, one behind the other: for
    /// who hashes blocks on several cores. \pre whole blocks so far, and update() with at least one
    /// more byte follows
    void update_with_hashes(ByteView hashes);

    [[nodiscard]] Digest finish();

 private:
    void add_waiting();
    void add_data(ByteView blocks);
    void add_block(std::size_t level, ByteView padded_block);
    void add_hash(std::size_t level, ByteView hash);

    HashAlgorithm algorithm_;
    Hasher hasher_;
    std::uint64_t size_ = 0;     ///< bytes of data so far
    Bytes waiting_;              ///< data that is hashed when there is enough for all lanes
    std::vector<Bytes> levels_;  ///< the unfinished block of hashes of each tree level
};

/// The hashes of whole blocks, for update_with_hashes(). `hasher` is between two uses.
/// \pre out.size() == blocks.size() / kVerityBlock * digest size
void hash_blocks(Hasher& hasher, ByteView blocks, std::span<std::uint8_t> out);

[[nodiscard]] Digest verity_digest(HashAlgorithm algorithm, ByteView data);

/// Reads the whole file from offset 0; a big one on all cores.
[[nodiscard]] Digest verity_digest_of_file(HashAlgorithm algorithm, int fd);

enum class VerityEnable { Enabled, AlreadyEnabled, Unsupported };

/// FS_IOC_ENABLE_VERITY. `fd` must be read-only and nobody may hold the file open for writing (a
/// child that was forked meanwhile may, for a moment: retried for some milliseconds, then Busy).
[[nodiscard]] VerityEnable enable_verity(int fd, HashAlgorithm algorithm);

/// FS_IOC_MEASURE_VERITY: what the kernel enforces on each read. nullopt when the file has no
/// fs-verity or the file system no support; a digest of another algorithm is returned as such.
[[nodiscard]] std::optional<Digest> measure_verity(int fd);

}  // namespace cfs
