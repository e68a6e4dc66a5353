// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>

namespace cfs::test {

/// The process' time zone for one test. In the form that needs no files:
/// "CET-1CEST,M3.5.0,M10.5.0/3".
class TimeZone {
 public:
    explicit TimeZone(const char* name) {
        if (const char* before = std::getenv("TZ")) before_ = before;
        ::setenv("TZ", name, 1);
        ::tzset();
    }

    TimeZone(const TimeZone&) = delete;
    TimeZone& operator=(const TimeZone&) = delete;

    ~TimeZone() {
        before_.empty() ? ::unsetenv("TZ") : ::setenv("TZ", before_.c_str(), 1);
        ::tzset();
    }

 private:
    std::string before_;
};

/// "2026-11-22 03:00:00", in UTC.
inline std::chrono::system_clock::time_point utc(const char* text) {
    std::tm parts{};
    if (::strptime(text, "%Y-%m-%d %H:%M:%S", &parts) == nullptr) std::abort();
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace cfs::test
