// SPDX-License-Identifier: Apache-2.0
#include "net/retry.hpp"

#include "base/stop.hpp"
#include "net/http_headers.hpp"

#include <curl/curl.h>

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

std::optional<std::chrono::seconds> parse_retry_after(const std::string& value,
                                                      const std::string& date,
                                                      std::chrono::system_clock::time_point now) {
    constexpr std::chrono::seconds kYear{std::chrono::hours{24 * 365}};
    if (const auto seconds = parse_decimal(value)) {
        return std::min(std::chrono::seconds(std::min<std::uint64_t>(*seconds, kYear.count())),
                        kYear);
    }
    const time_t then = curl_getdate(value.c_str(), nullptr);
    if (then == -1) return std::nullopt;
    time_t from = curl_getdate(date.c_str(), nullptr);
    if (from == -1) from = std::chrono::system_clock::to_time_t(now);
    return std::clamp(std::chrono::seconds(then - from), std::chrono::seconds(0), kYear);
}

void wait_or_stop(std::chrono::milliseconds duration, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, duration, [] { return false; });
    check(stop);
}

}  // namespace cfs::net
