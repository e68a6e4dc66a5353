// SPDX-License-Identifier: Apache-2.0
#include "image/image_stream.hpp"

#include <algorithm>

namespace cfs::image::erofs {
namespace {

constexpr std::size_t kBlockSize = 4096;
/// What is handed on at once: small enough for the second level cache, big enough for few switches.
constexpr std::size_t kPiece = std::size_t{512} * 1024;
constexpr std::size_t kPieces = 3;
/// Below this a thread costs more than it brings.
constexpr std::uint64_t kWorthAThread = std::uint64_t{2} << 20;

}  // namespace

ImageStream::ImageStream(Sink* sink, HashAlgorithm algorithm, std::uint64_t image_size)
    : sink_(sink),
      hasher_(algorithm),
      window_(std::min<std::uint64_t>(image_size, kPiece + kMostRoom)) {
    if (image_size < kWorthAThread || std::thread::hardware_concurrency() < 2) return;
    spare_.resize(kPieces);
    thread_ = std::thread([this] { hash_all(); });
}

ImageStream::~ImageStream() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        complete_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

/// Hands on the whole blocks that are written and moves the rest to the start of the window.
void ImageStream::advance() {
    const std::size_t whole = used_ / kBlockSize * kBlockSize;
    const auto split = window_.begin() + static_cast<std::ptrdiff_t>(whole);
    const auto end = window_.begin() + static_cast<std::ptrdiff_t>(used_);
    const ByteView block = ByteView(window_).first(whole);
    if (sink_ != nullptr) sink_->write(block);
    if (thread_.joinable()) {
        Bytes copy;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return !spare_.empty(); });
            copy = std::move(spare_.front());
            spare_.pop_front();
        }
        copy.assign(block.begin(), block.end());
        give(copy);
    } else {
        hasher_.update(block);
    }
    std::copy(split, end, window_.begin());
    std::fill(window_.begin() + (end - split), end, std::uint8_t{0});
    begin_ += whole;
    used_ -= whole;
}

void ImageStream::give(Bytes& block) {
    {
        const std::lock_guard lock(mutex_);
        to_hash_.push_back(std::move(block));
    }
    changed_.notify_all();
}

void ImageStream::hash_all() noexcept {
    for (;;) {
        Bytes block;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return complete_ || !to_hash_.empty(); });
            if (to_hash_.empty()) return;
            block = std::move(to_hash_.front());
            to_hash_.pop_front();
        }
        try {
            if (!failure_) hasher_.update(block);
        } catch (...) {
            failure_ = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        spare_.push_back(std::move(block));
        changed_.notify_all();
    }
}

Digest ImageStream::finish(std::uint64_t image_size) {
    while (begin_ + used_ < image_size || used_ > 0) {
        used_ = std::min<std::uint64_t>(image_size - begin_, window_.size());
        advance();
    }
    if (thread_.joinable()) {
        {
            const std::lock_guard lock(mutex_);
            complete_ = true;
        }
        changed_.notify_all();
        thread_.join();
        if (failure_) std::rethrow_exception(failure_);
    }
    return hasher_.finish();
}

}  // namespace cfs::image::erofs
