// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cfs::test {

/// How a child process ended.
struct Ended {
    int code = -1;        ///< exit status; -1 when a signal ended it
    int signal = 0;       ///< 0 when it ended by itself
    bool killed = false;  ///< by us, because its time was over
    std::string output;   ///< both streams
    std::chrono::microseconds took{0};
};

/// Runs a program with `extra` variables ("NAME=value") added to the environment.
/// \param limit after which it gets SIGKILL
[[nodiscard]] Ended run_process(const std::vector<std::string>& command,
                                const std::vector<std::string>& extra = {},
                                std::chrono::microseconds limit = std::chrono::seconds(60));

}  // namespace cfs::test
