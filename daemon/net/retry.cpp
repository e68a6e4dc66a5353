// SPDX-License-Identifier: Apache-2.0
#include "net/retry.hpp"

#include "base/stop.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace cfs::net {
namespace {

constexpr std::chrono::milliseconds kLongest{30'000};

/// splitmix64 (Vigna, public domain): a well mixed function of its argument.
std::uint64_t mix(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

}  // namespace

std::chrono::milliseconds retry_delay(unsigned attempt,
                                      std::uint64_t seed,
                                      std::chrono::milliseconds base) {
    std::chrono::milliseconds full = std::min(base, kLongest);
    for (unsigned i = 1; i < attempt && full < kLongest; ++i)
        full = std::min(full * 2, kLongest);
    const auto part = static_cast<std::int64_t>(mix(seed + attempt) % 1024);
    return full / 2 + full * part / 2048;
}

void wait_or_stop(std::chrono::milliseconds duration, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, duration, [] { return false; });
    check(stop);
}

}  // namespace cfs::net
