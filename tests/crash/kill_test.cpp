// SPDX-License-Identifier: Apache-2.0
// kill -9 at moments that nobody chose.
#include "crash_site.hpp"
#include "random_runs.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <iostream>
#include <random>

namespace cfs {
namespace {

using std::chrono::microseconds;
using test::CrashSite;
using test::run_process;

constexpr int kShortRuns = 20;
constexpr int kLongRuns = 100;

/// One run; true if the kill came before the end.
bool kill_and_go_on(const std::string& machine, microseconds delay) {
    CrashSite crash(machine);
    crash.guard({"1"});
    const auto ended = run_process(crash.command(CFS_DRIVE, "update", "v2"), {}, delay);
    EXPECT_EQ(crash.harm(), "");
    crash.site.engine().reconcile();
    EXPECT_EQ(crash.unsound(), "");
    const auto again = run_process(crash.command(CFS_DRIVE, "update", "v2"));
    EXPECT_EQ(again.code, 0) << again.output;
    EXPECT_EQ(run_process(crash.command(CFS_DRIVE, "collect")).code, 0);
    EXPECT_EQ(crash.unsound(), "");
    EXPECT_EQ(crash.site.engine().status().staged->version, "2");
    return ended.signal == SIGKILL;
}

TEST(KillNine, AtRandomMomentsOfAnUpdate) {
    const std::string machine = std::string(CFS_MACHINES) + "/installed";
    std::mt19937 random(test::choose_seed());
    const auto whole = test::duration_of_an_update(machine);
    std::uniform_int_distribution<microseconds::rep> pick(0, whole.count());
    const int runs = test::is_long() ? kLongRuns : kShortRuns;
    int killed = 0;
    for (int run = 0; run < runs; ++run) {
        const microseconds delay(pick(random));
        SCOPED_TRACE("killed after " + std::to_string(delay.count()) + " us");
        if (kill_and_go_on(machine, delay)) ++killed;
        if (HasFailure()) break;
    }
    std::cout << "killed " << killed << " of " << runs << " updates, one of which takes "
              << whole.count() << " us\n";
    EXPECT_GT(killed, 0);
}

}  // namespace
}  // namespace cfs
