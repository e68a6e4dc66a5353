// SPDX-License-Identifier: Apache-2.0
#include "service/rate_meter.hpp"

#include <algorithm>
#include <cmath>

namespace cfs::service {
namespace {

/// What is older than this counts little: a connection's speed changes, and people watch.
constexpr double kMemorySeconds = 5;
/// Before, one burst would be told as a rate.
constexpr std::chrono::seconds kAtFirst{1};
/// A hundred days; more is no answer for anybody.
constexpr double kLongest = 8'640'000;

}  // namespace

void RateMeter::begin(const Progress& progress, Time now) {
    last_ = progress;
    started_ = now;
    noted_ = now;
    running_ = true;
    rate_ = 0;
}

void RateMeter::note(const Progress& progress, Time now) {
    // Another step counts other bytes.
    if (!running_ || progress.stage != last_.stage || progress.done < last_.done) {
        return begin(progress, now);
    }
    const double seconds = std::chrono::duration<double>(now - noted_).count();
    if (seconds <= 0) return;
    const double bytes = static_cast<double>(progress.done - last_.done);
    // The plain average at first, one that forgets later.
    const double all = std::chrono::duration<double>(now - started_).count();
    const double weight = 1 - std::exp(-seconds / std::min(all, kMemorySeconds));
    rate_ = all == seconds ? bytes / seconds : rate_ + weight * (bytes / seconds - rate_);
    last_ = progress;
    noted_ = now;
}

std::uint64_t RateMeter::rate() const {
    return noted_ - started_ < kAtFirst ? 0 : static_cast<std::uint64_t>(rate_);
}

std::uint64_t RateMeter::seconds_left() const {
    if (rate() == 0 || last_.total <= last_.done) return 0;
    const double left = static_cast<double>(last_.total - last_.done) / rate_;
    return left > kLongest ? 0 : static_cast<std::uint64_t>(std::ceil(left));
}

}  // namespace cfs::service
