// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "service/progress_board.hpp"

#include <chrono>
#include <cstdint>

namespace cfs::service {

/// How fast a job's bytes come, averaged over some seconds, and when the rest of them will be
/// there. A value; it is told what a job shows now and then, and knows no clock.
class RateMeter {
 public:
    using Time = std::chrono::steady_clock::time_point;

    void note(const Progress& progress, Time now);

    /// Bytes per second; 0: not known, or nothing comes.
    [[nodiscard]] std::uint64_t rate() const;

    /// Seconds, at least one, until all bytes are there at that rate; 0: not known.
    [[nodiscard]] std::uint64_t seconds_left() const;

 private:
    void begin(const Progress& progress, Time now);

    Progress last_;
    Time started_{};
    Time noted_{};
    bool running_ = false;
    double rate_ = 0;
};

}  // namespace cfs::service
