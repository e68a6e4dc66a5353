// SPDX-License-Identifier: Apache-2.0
#include "update/byte_pipe.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace cfs::update {

void BytePipe::push(Bytes chunk) {
    if (chunk.empty()) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reader_gone_ || queued_ < capacity_; });
    if (reader_gone_) throw Error(ErrorCode::Cancelled, "nobody reads on");
    queued_ += chunk.size();
    chunks_.push_back(std::move(chunk));
    changed_.notify_all();
}

std::optional<Bytes> BytePipe::pull(Bytes used) {
    std::unique_lock lock(mutex_);
    if (used.capacity() > 0) spare_.push_back(std::move(used));
    changed_.wait(lock, [&] { return written_ || !chunks_.empty(); });
    if (chunks_.empty()) {
        if (error_) std::rethrow_exception(error_);
        return std::nullopt;
    }
    Bytes chunk = std::move(chunks_.front());
    chunks_.pop_front();
    queued_ -= chunk.size();
    changed_.notify_all();
    return chunk;
}

Bytes BytePipe::spare() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {};
    Bytes spare = std::move(spare_.back());
    spare_.pop_back();
    return spare;
}

std::size_t BytePipe::read(std::span<std::uint8_t> buffer) {
    if (current_start_ == current_.size()) {
        auto chunk = pull({});
        if (!chunk) return 0;
        current_ = std::move(*chunk);
        current_start_ = 0;
    }
    const std::size_t n = std::min(buffer.size(), current_.size() - current_start_);
    std::copy_n(current_.begin() + static_cast<std::ptrdiff_t>(current_start_), n, buffer.begin());
    current_start_ += n;
    return n;
}

void BytePipe::end_writing(std::exception_ptr error) noexcept {
    const std::lock_guard lock(mutex_);
    written_ = true;
    error_ = std::move(error);
    changed_.notify_all();
}

void BytePipe::end_reading() noexcept {
    const std::lock_guard lock(mutex_);
    reader_gone_ = true;
    changed_.notify_all();
}

}  // namespace cfs::update
