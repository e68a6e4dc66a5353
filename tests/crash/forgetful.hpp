// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crash_site.hpp"

#include <gtest/gtest.h>

#include <iosfwd>
#include <set>
#include <string>
#include <vector>

namespace cfs::test {

/// What ends a verb in its middle.
enum class Death {
    Killed,    ///< SIGKILL: the system goes on, with all that was written
    PowerLoss  ///< and then has nothing that was not synced (tests/support/forget.py)
};

/// A named crash point (base/crash_point.hpp), and what happens there.
struct Crash {
    std::string point;
    Death death = Death::Killed;
};

std::ostream& operator<<(std::ostream& out, const Crash& crash);

/// The one at each point.
[[nodiscard]] std::vector<Crash> killed_at(const std::set<std::string>& points);

/// The other at a part of the points, since each takes seconds; at all of them with CFS_LONG=1.
/// Which part differs from list to list.
[[nodiscard]] std::vector<Crash> power_lost_at(const std::set<std::string>& points);

/// Whether the `count`-th loss of power of a list is among those that a short run has.
[[nodiscard]] bool is_sampled(std::size_t count);

/// A point's name as a test's.
[[nodiscard]] std::string test_name(std::string point);
[[nodiscard]] std::string crash_name(const testing::TestParamInfo<Crash>& row);

/// Runs a command that looks after the machine of `site` until it dies at the crash's point. When
/// this returns, the power is back. Fails the test if it did not die there.
void die(const CrashSite& site, const std::vector<std::string>& command, const Crash& crash);

}  // namespace cfs::test
