// SPDX-License-Identifier: Apache-2.0
#include "image/dump_stream.hpp"

#include "base/cores.hpp"
#include "base/error.hpp"

#include <algorithm>

namespace cfs::image {
namespace {

constexpr std::size_t kPiece = std::size_t{256} * 1024;
constexpr std::size_t kMaxLine = std::size_t{16} << 20;
constexpr std::size_t kBatches = 3;

}  // namespace

DumpStream::DumpStream(Source& source, DumpDialect dialect, HashAlgorithm algorithm)
    : source_(source), maker_(dialect, algorithm), current_(std::make_unique<Batch>()) {
    auto batch = std::make_unique<Batch>();
    complete_ = !produce(*batch);
    if (!complete_) ready_.push_back(std::move(batch));
    if (complete_ || at_end_) {
        complete_ = true;
        return;
    }
    if (usable_cores() < 2) return;
    for (std::size_t i = 2; i < kBatches; ++i)
        spare_.push_back(std::make_unique<Batch>());
    thread_ = std::thread([this] { produce_all(); });
}

DumpStream::~DumpStream() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

/// Takes whole lines, at least one.
bool DumpStream::produce(Batch& batch) {
    batch.arena = {};
    batch.records.clear();
    batch.error.reset();
    Bytes& buffer = batch.buffer;
    if (buffer.size() < kPiece) buffer.resize(kPiece);
    if (buffer.size() < 2 * carried_.size()) buffer.resize(2 * carried_.size());
    std::copy(carried_.begin(), carried_.end(), buffer.begin());
    std::size_t size = carried_.size();
    std::size_t whole = 0;  // bytes up to the last line feed
    while (whole == 0 || size < buffer.size()) {
        if (size == buffer.size()) {
            if (size >= kMaxLine) {
                throw Error(ErrorCode::BadFormat,
                            "a line of the dump has " + std::to_string(size) + " bytes or more",
                            "Lines end with a line feed.");
            }
            buffer.resize(2 * size);
        }
        const std::size_t n = source_.read(std::span(buffer).subspan(size));
        if (n == 0) {
            at_end_ = true;
            whole = size;
            break;
        }
        const std::string_view added = as_text(ByteView(buffer).subspan(size, n));
        if (const auto end = added.rfind('\n'); end != added.npos) whole = size + end + 1;
        size += n;
    }
    const auto cut = buffer.begin() + static_cast<std::ptrdiff_t>(whole);
    carried_.assign(cut, buffer.begin() + static_cast<std::ptrdiff_t>(size));
    if (whole == 0) return false;
    batch.text = as_text(ByteView(buffer).first(whole));
    maker_.parse(batch, first_, batch.text.ends_with('\n'));
    first_ = false;
    return true;
}

void DumpStream::produce_all() noexcept {
    for (;;) {
        std::unique_ptr<Batch> batch;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stop_ || !spare_.empty(); });
            if (stop_) return;
            batch = std::move(spare_.front());
            spare_.pop_front();
        }
        bool more = false;
        std::exception_ptr failure;
        try {
            more = produce(*batch);
        } catch (...) {
            failure = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        if (more) ready_.push_back(std::move(batch));
        failure_ = failure;
        complete_ = !more || at_end_;
        changed_.notify_all();
        if (complete_) return;
    }
}

/// Without the second thread: the first piece is there, the others are parsed when asked for.
Batch* DumpStream::next_alone() {
    if (!ready_.empty()) {
        current_ = std::move(ready_.front());
        ready_.pop_front();
        return current_.get();
    }
    return !complete_ && produce(*current_) ? current_.get() : nullptr;
}

Batch* DumpStream::next() {
    if (!thread_.joinable()) return next_alone();
    std::unique_lock lock(mutex_);
    spare_.push_back(std::move(current_));
    changed_.notify_all();
    changed_.wait(lock, [this] { return complete_ || !ready_.empty(); });
    if (ready_.empty()) {
        if (failure_) std::rethrow_exception(failure_);
        return nullptr;
    }
    current_ = std::move(ready_.front());
    ready_.pop_front();
    return current_.get();
}

}  // namespace cfs::image
