// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace cfs::client {

/// What a program printed, both outputs in the order in which they came.
struct Captured {
    std::string text;
    std::string problem;  ///< empty, or why it is not all
};

/// Runs `argv` (argv[0] looked up in $PATH, no shell, no input). What prints more than `limit`
/// bytes or takes longer than `patience` is killed, with all that it started, and gives what it
/// printed until then. Never throws for what the program does.
[[nodiscard]] Captured capture(const std::vector<std::string>& argv,
                               std::size_t limit = std::size_t{4} << 20,
                               std::chrono::milliseconds patience = std::chrono::seconds(20));

}  // namespace cfs::client
