// SPDX-License-Identifier: Apache-2.0
#include "crypto/fsverity.hpp"

#include "crypto/hash_lanes.hpp"

#include <algorithm>
#include <array>

namespace cfs {
namespace {

constexpr std::size_t kBlock = kVerityBlock;
constexpr std::uint8_t kLogBlock = 12;
constexpr std::size_t kDescriptorSize = 256;
/// What is hashed at once: as much as the widest lanes take.
constexpr std::size_t kBatch = 16 * kBlock;
constexpr std::size_t kMaxHash = 64;

}  // namespace

VerityHasher::VerityHasher(HashAlgorithm algorithm) : algorithm_(algorithm), hasher_(algorithm) {}

void VerityHasher::update(ByteView data) {
    size_ += data.size();
    while (!data.empty()) {
        if (waiting_.empty() && data.size() > kBatch) {
            // Whole blocks go by without a copy; the last one waits, it may be the only one.
            const std::size_t whole = (data.size() - 1) / kBlock * kBlock;
            add_data(data.first(whole));
            data = data.subspan(whole);
            continue;
        }
        if (waiting_.size() == kBatch) add_waiting();
        const std::size_t n = std::min(kBatch - waiting_.size(), data.size());
        waiting_.insert(
            waiting_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(n));
        data = data.subspan(n);
    }
}

void VerityHasher::update_with_hashes(ByteView hashes) {
    add_waiting();  // for more data, which is here now
    const std::size_t hash_size = digest_size(algorithm_);
    for (; !hashes.empty(); hashes = hashes.subspan(hash_size)) {
        size_ += kBlock;
        add_hash(0, hashes.first(hash_size));
    }
}

void VerityHasher::add_waiting() {
    add_data(waiting_);
    waiting_.clear();
}

void VerityHasher::add_data(ByteView blocks) {
    const std::size_t hash_size = digest_size(algorithm_);
    std::array<std::uint8_t, kBatch / kBlock * kMaxHash> hashes;
    while (!blocks.empty()) {
        const std::size_t n = std::min(blocks.size(), kBatch);
        const auto found = std::span(hashes).first(n / kBlock * hash_size);
        hash_blocks(hasher_, blocks.first(n), found);
        for (std::size_t at = 0; at < found.size(); at += hash_size)
            add_hash(0, found.subspan(at, hash_size));
        blocks = blocks.subspan(n);
    }
}

void VerityHasher::add_block(std::size_t level, ByteView padded_block) {
    hasher_.update(padded_block);
    add_hash(level, hasher_.finish().bytes());
}

void VerityHasher::add_hash(std::size_t level, ByteView hash) {
    if (levels_.size() <= level) levels_.emplace_back();
    if (levels_[level].size() == kBlock) {
        // Full, and now not the last block of its level: it becomes one hash of the level above.
        const Bytes full = std::move(levels_[level]);
        levels_[level].clear();
        add_block(level + 1, full);
    }
    levels_[level].insert(levels_[level].end(), hash.begin(), hash.end());
}

Digest VerityHasher::finish() {
    Bytes descriptor(kDescriptorSize, 0);
    descriptor[0] = 1;
    descriptor[1] = static_cast<std::uint8_t>(algorithm_);
    descriptor[2] = kLogBlock;
    store_le<std::uint64_t>(descriptor, 8, size_);
    const std::size_t hash_size = digest_size(algorithm_);
    if (size_ > 0) {
        waiting_.resize((waiting_.size() + kBlock - 1) / kBlock * kBlock, 0);
        add_waiting();
        std::size_t level = 0;
        while (levels_[level].size() > hash_size || level + 1 < levels_.size()) {
            Bytes last = std::move(levels_[level]);
            levels_[level].clear();
            last.resize(kBlock, 0);
            add_block(++level, last);
        }
        std::copy(levels_[level].begin(), levels_[level].end(), descriptor.begin() + 16);
    }
    levels_.clear();
    size_ = 0;
    hasher_.update(descriptor);
    return hasher_.finish();
}

void hash_blocks(Hasher& hasher, ByteView blocks, std::span<std::uint8_t> out) {
    const std::size_t done = hash_in_lanes(hasher.algorithm(), blocks, kBlock, out);
    auto at = out.begin() + static_cast<std::ptrdiff_t>(done * digest_size(hasher.algorithm()));
    for (blocks = blocks.subspan(done * kBlock); !blocks.empty(); blocks = blocks.subspan(kBlock)) {
        hasher.update(blocks.first(kBlock));
        const Digest digest = hasher.finish();
        at = std::copy(digest.bytes().begin(), digest.bytes().end(), at);
    }
}

Digest verity_digest(HashAlgorithm algorithm, ByteView data) {
    VerityHasher hasher(algorithm);
    hasher.update(data);
    return hasher.finish();
}

}  // namespace cfs
