// SPDX-License-Identifier: Apache-2.0
#include "image/image_stream.hpp"

#include "base/cores.hpp"

#include <algorithm>

namespace cfs::image::erofs {
namespace {

constexpr std::size_t kBlockSize = 4096;
/// What is handed on at once: small enough for the second level cache, big enough for few switches.
constexpr std::size_t kPiece = std::size_t{256} * 1024;
constexpr std::size_t kPieces = 3;
/// Below this a thread costs more than it brings.
constexpr std::uint64_t kWorthAThread = std::uint64_t{2} << 20;

}  // namespace

ImageStream::ImageStream(Sink* sink, HashAlgorithm algorithm, std::uint64_t image_size)
    : sink_(sink),
      algorithm_(algorithm),
      hasher_(algorithm),
      own_hasher_(algorithm),
      window_(std::min<std::uint64_t>(image_size, kPiece + kMostRoom)) {
    spare_.resize(1);
    if (image_size < kWorthAThread || usable_cores() < 2) return;
    spare_.resize(kPieces);
    thread_ = std::thread([this] { hand_on_all(); });
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

/// Hands on the whole blocks that are written; the rest goes to the start of the next window.
void ImageStream::advance(bool last) {
    const std::size_t whole = used_ / kBlockSize * kBlockSize;
    const std::size_t rest = used_ - whole;
    Bytes next = take_spare();
    std::copy_n(window_.begin() + static_cast<std::ptrdiff_t>(whole), rest, next.begin());
    std::swap(window_, next);
    Piece piece{std::move(next), whole, used_, {}};
    // The hasher wants the image's last block itself.
    if (!last && is_behind()) hash_ahead(piece);
    give(std::move(piece));
    begin_ += whole;
    used_ = rest;
}

/// The second thread has enough to do.
bool ImageStream::is_behind() {
    if (!thread_.joinable()) return false;
    const std::lock_guard lock(mutex_);
    return !ready_.empty();
}

void ImageStream::hash_ahead(Piece& piece) {
    piece.hashes.resize(piece.size / kBlockSize * digest_size(algorithm_));
    hash_blocks(own_hasher_, ByteView(piece.window).first(piece.size), piece.hashes);
}

/// A window of zeros.
Bytes ImageStream::take_spare() {
    Piece spare;
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return failure_ || !spare_.empty(); });
        if (failure_) std::rethrow_exception(failure_);
        spare = std::move(spare_.front());
        spare_.pop_front();
    }
    std::fill_n(spare.window.begin(), spare.dirty, std::uint8_t{0});
    spare.window.resize(window_.size());
    return std::move(spare.window);
}

void ImageStream::give(Piece piece) {
    if (!thread_.joinable()) {
        hand_on(piece);
        spare_.push_back(std::move(piece));
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(piece));
    }
    changed_.notify_all();
}

void ImageStream::hand_on(const Piece& piece) {
    const ByteView data = ByteView(piece.window).first(piece.size);
    if (sink_ != nullptr) sink_->write(data);
    if (piece.hashes.empty()) {
        hasher_.update(data);
    } else {
        hasher_.update_with_hashes(piece.hashes);
    }
}

void ImageStream::hand_on_all() noexcept {
    for (;;) {
        Piece piece;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return complete_ || !ready_.empty(); });
            if (ready_.empty()) return;
            piece = std::move(ready_.front());
            ready_.pop_front();
        }
        std::exception_ptr failure;
        try {
            hand_on(piece);
        } catch (...) {
            failure = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        failure_ = failure;
        spare_.push_back(std::move(piece));
        changed_.notify_all();
        if (failure) return;
    }
}

Digest ImageStream::finish(std::uint64_t image_size) {
    while (begin_ + used_ < image_size || used_ > 0) {
        used_ = std::min<std::uint64_t>(image_size - begin_, window_.size());
        advance(begin_ + used_ == image_size);
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
