// SPDX-License-Identifier: Apache-2.0
#include "net/rate_limiter.hpp"

#include "net/retry.hpp"

#include <algorithm>

namespace cfs::net {

void RateLimiter::take(std::uint64_t bytes, const std::stop_token& stop) {
    if (rate_ == 0) return;
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> cost(static_cast<double>(bytes) /
                                             static_cast<double>(rate_));
    std::chrono::steady_clock::time_point mine;
    {
        const std::scoped_lock lock(mutex_);
        mine = std::max(next_, now);
        next_ = mine + std::chrono::duration_cast<std::chrono::steady_clock::duration>(cost);
    }
    if (mine > now) {
        wait_or_stop(std::chrono::ceil<std::chrono::milliseconds>(mine - now), stop);
    }
}

}  // namespace cfs::net
