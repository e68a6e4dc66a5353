// SPDX-License-Identifier: Apache-2.0
#include "crypto/fsverity.hpp"

#include <algorithm>

namespace cfs {
namespace {

constexpr std::size_t kBlock = kVerityBlock;
constexpr std::uint8_t kLogBlock = 12;
constexpr std::size_t kDescriptorSize = 256;

}  // namespace

VerityHasher::VerityHasher(HashAlgorithm algorithm) : algorithm_(algorithm), hasher_(algorithm) {
    block_.reserve(kBlock);
}

void VerityHasher::update(ByteView data) {
    size_ += data.size();
    while (!data.empty()) {
        if (block_.empty() && data.size() > kBlock) {
            // Whole blocks go by without a copy; the last one waits, it may be the only one.
            add_block(0, data.first(kBlock));
            data = data.subspan(kBlock);
            continue;
        }
        if (block_.size() == kBlock) {
            add_block(0, block_);
            block_.clear();
        }
        const std::size_t n = std::min(kBlock - block_.size(), data.size());
        block_.insert(block_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(n));
        data = data.subspan(n);
    }
}

void VerityHasher::update_with_hashes(ByteView hashes) {
    const std::size_t hash_size = digest_size(algorithm_);
    if (!block_.empty()) {
        add_block(0, block_);  // waited for more data, which is here now
        block_.clear();
    }
    for (; !hashes.empty(); hashes = hashes.subspan(hash_size)) {
        size_ += kBlock;
        add_hash(0, Digest(algorithm_, hashes.first(hash_size)));
    }
}

void VerityHasher::add_block(std::size_t level, ByteView padded_block) {
    hasher_.update(padded_block);
    add_hash(level, hasher_.finish());
}

void VerityHasher::add_hash(std::size_t level, const Digest& hash) {
    if (levels_.size() <= level) levels_.emplace_back();
    if (levels_[level].size() == kBlock) {
        // Full, and now not the last block of its level: it becomes one hash of the level above.
        const Bytes full = std::move(levels_[level]);
        levels_[level].clear();
        add_block(level + 1, full);
    }
    const ByteView bytes = hash.bytes();
    levels_[level].insert(levels_[level].end(), bytes.begin(), bytes.end());
}

Digest VerityHasher::finish() {
    Bytes descriptor(kDescriptorSize, 0);
    descriptor[0] = 1;
    descriptor[1] = static_cast<std::uint8_t>(algorithm_);
    descriptor[2] = kLogBlock;
    store_le<std::uint64_t>(descriptor, 8, size_);
    const std::size_t hash_size = digest_size(algorithm_);
    if (size_ > 0) {
        block_.resize(kBlock, 0);
        add_block(0, block_);
        std::size_t level = 0;
        while (levels_[level].size() > hash_size || level + 1 < levels_.size()) {
            Bytes last = std::move(levels_[level]);
            levels_[level].clear();
            last.resize(kBlock, 0);
            add_block(++level, last);
        }
        std::copy(levels_[level].begin(), levels_[level].end(), descriptor.begin() + 16);
    }
    block_.clear();
    levels_.clear();
    size_ = 0;
    hasher_.update(descriptor);
    return hasher_.finish();
}

void hash_blocks(Hasher& hasher, ByteView blocks, std::span<std::uint8_t> out) {
    auto at = out.begin();
    for (; !blocks.empty(); blocks = blocks.subspan(kBlock)) {
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
