// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/output/progress_bar.hpp"
#include "update/engine.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

namespace cfs::client {

/// Shows a job's progress on a descriptor (standard error): one line that is redrawn in place on a
/// terminal, otherwise one plain line per stage and message. Thread-safe. Whoever prints something
/// else to a terminal calls finish() first; the destructor does too. Failing writes are ignored: a
/// closed pipe must not end an update.
class ProgressView final : public update::ProgressSink {
 public:
    /// \param live redraw one line in place; for terminals
    ProgressView(int fd, bool live);
    ~ProgressView() override;

    void stage(std::string_view name) override;
    void bytes(std::uint64_t done, std::uint64_t total, std::uint64_t reused) override;
    void message(std::string_view text) override;

    /// Removes the line that was drawn in place.
    void finish();

 private:
    void draw(bool now);
    void erase();
    void print(std::string_view text);

    std::mutex mutex_;
    int fd_;
    bool live_;
    bool drawn_ = false;
    Progress progress_;
    RateMeter meter_;
    std::chrono::steady_clock::time_point last_draw_{};
};

}  // namespace cfs::client
