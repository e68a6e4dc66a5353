// SPDX-License-Identifier: Apache-2.0
/// \file One line that shows how far something is. Pure: values in, text out.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace cfs::client {

struct Progress {
    std::string stage;         ///< as in update::ProgressSink
    std::uint64_t done = 0;    ///< bytes
    std::uint64_t total = 0;   ///< bytes; 0: this stage has none
    std::uint64_t reused = 0;  ///< bytes that were here already; not part of total
    std::uint64_t rate = 0;    ///< bytes per second; 0: not known yet
};

/// What a stage does, for a person: "fetching layers". An unknown stage is its own description.
[[nodiscard]] std::string_view describe_stage(std::string_view stage);

/// A line of at most `width` columns without a line break: stage, bar, percent, bytes, rate, time
/// left. What does not fit is left out from the end.
[[nodiscard]] std::string render_progress(const Progress& progress, std::size_t width);

/// Bytes per second over the last seconds. One thread.
class RateMeter {
 public:
    using Time = std::chrono::steady_clock::time_point;

    /// Tells that `done` bytes had arrived at `now`. A smaller number than before starts anew.
    void add(std::uint64_t done, Time now);

    /// 0 until half a second was seen.
    [[nodiscard]] std::uint64_t rate() const;

 private:
    std::deque<std::pair<Time, std::uint64_t>> samples_;
};

}  // namespace cfs::client
