// SPDX-License-Identifier: Apache-2.0
#include "net/transfer.hpp"

#include "base/stop.hpp"

#include <algorithm>
#include <utility>

namespace cfs::net {
namespace {

constexpr std::size_t kPiece = std::size_t{256} * 1024;

}  // namespace

void Transfer::put_head(const HttpResponse& response) {
    const std::scoped_lock lock(mutex_);
    head_ = response;
    changed_.notify_one();
}

bool Transfer::put_body(ByteView data) {
    const std::scoped_lock lock(mutex_);
    if (queued_ >= limit_) {
        full_ = true;
        return false;
    }
    // libcurl hands out 16 KiB at a time; larger pieces cost the consumer fewer calls.
    if (body_.empty() || body_.back().size() + data.size() > kPiece) {
        body_.emplace_back().reserve(std::max(kPiece, data.size()));
    }
    body_.back().insert(body_.back().end(), data.begin(), data.end());
    queued_ += data.size();
    changed_.notify_one();
    return true;
}

void Transfer::put_end(TransferEnd end) {
    const std::scoped_lock lock(mutex_);
    end_ = std::move(end);
    changed_.notify_one();
}

std::optional<HttpResponse> Transfer::wait_head(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return head_ || end_; });
    check(stop);
    return head_;
}

std::optional<Bytes> Transfer::next_body(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [&] { return !body_.empty() || end_; });
    check(stop);
    if (body_.empty()) return std::nullopt;
    Bytes out = std::move(body_.front());
    body_.pop_front();
    queued_ -= out.size();
    return out;
}

bool Transfer::take_resume() {
    const std::scoped_lock lock(mutex_);
    return queued_ <= limit_ / 2 && std::exchange(full_, false);
}

TransferEnd Transfer::end() {
    const std::scoped_lock lock(mutex_);
    return end_.value_or(TransferEnd{});
}

}  // namespace cfs::net
