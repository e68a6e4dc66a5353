// SPDX-License-Identifier: Apache-2.0
/// \file Check programs of the image and of the administrator: they are found in required.d and
/// wanted.d below some directories, the layout that greenboot made known, and run one by one. Knows
/// nothing of deployments.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace cfs::health {

struct Check {
    std::string name;  ///< the file's
    std::string path;
    bool required = true;  ///< in required.d; else in wanted.d
};

struct CheckResult {
    Check check;
    bool passed = false;
    std::string why;     ///< "ended with 1: no disk"; empty when it passed
    std::string output;  ///< the last of it
};

/// Required ones first, each kind in the order of their names. Of two with one name the one from
/// the later directory counts; a link to /dev/null there drops it. Missing directories are passed
/// over, as are hidden files. `problems` gets a line for each file that is no program.
[[nodiscard]] std::vector<Check> find_checks(const std::vector<std::string>& directories,
                                             std::vector<std::string>& problems);

/// Runs it in a process group of its own, with an empty standard input, until it ends or `limit` is
/// over; then the group is killed. What a check leaves running in the background does not hold it
/// up. Never throws for a check that fails or cannot be started.
[[nodiscard]] CheckResult run_check(const Check& check, std::chrono::milliseconds limit);

}  // namespace cfs::health
