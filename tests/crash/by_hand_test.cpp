// SPDX-License-Identifier: Apache-2.0
// What is done once and by itself, killed at each of its points: going forward again after a
// rollback, taking one file of /etc back from the image, giving an armed version up at shutdown.
#include "forgetful.hpp"
#include "update/shutdown.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

namespace cfs {
namespace {

using test::Crash;
using test::CrashSite;
using test::die;
using test::Ended;
using test::run_process;

struct ByHand {
    const char* verb;
    const char* machine;
    const char* argument;
    std::set<std::string> points;
};

const ByHand& forward() {
    static const ByHand verb = {"rollback",
                                "returned",
                                "",
                                {"update.rollback-recorded",
                                 "update.rollback-promoted",
                                 "update.rolled-back",
                                 "update.history-written"}};
    return verb;
}

const ByHand& restore() {
    static const ByHand verb = {
        "restore",
        "installed",
        "edited.conf",
        {"update.entry-written", "update.etc-restoring", "update.etc-restored"}};
    return verb;
}

/// /etc came into a conflict with a version that shares a kept slot's state directory.
const ByHand& give_up() {
    static const ByHand verb = {"strict-shutdown",
                                "returned",
                                "",
                                {"update.entry-written",
                                 "update.drop-recorded",
                                 "esp.removed",
                                 "update.etc-given-back",
                                 "update.unpinned",
                                 "update.history-written"}};
    return verb;
}

std::vector<std::string> command(const CrashSite& crash, const ByHand& verb) {
    return crash.command(CFS_DRIVE, verb.verb, verb.argument);
}

Ended run(const CrashSite& crash, const ByHand& verb, const std::string& variable) {
    return run_process(command(crash, verb), {variable});
}

std::string machine(const ByHand& verb) {
    return std::string(CFS_MACHINES) + "/" + verb.machine;
}

/// Of the deployment that runs.
std::string etc_file(CrashSite& crash, const std::string& name) {
    const auto booted = crash.site.engine().status().booted;
    return "sysroot/state/deploy/" + booted.value().digest + "/etc/" + name;
}

class ForwardCrashPoint : public testing::TestWithParam<Crash> {};

/// Its record is the first thing that is durable, so each crash ends in the new state.
TEST_P(ForwardCrashPoint, IsFinishedByTheNextStart) {
    CrashSite untouched(machine(forward()));
    ASSERT_EQ(run(untouched, forward(), "UNUSED=").code, 0);
    CrashSite crash(machine(forward()));
    crash.guard({"1", "2"});
    ASSERT_NO_FATAL_FAILURE(die(crash, command(crash, forward()), GetParam()));
    EXPECT_EQ(crash.harm(), "");
    crash.site.engine().reconcile();
    EXPECT_EQ(crash.unsound(), "");
    EXPECT_EQ(crash.inventory(), untouched.inventory());
    (void)crash.site.reboot();
    EXPECT_EQ(crash.site.engine().status().booted.value().version, "2");
    EXPECT_TRUE(std::filesystem::exists(crash.site.dir / etc_file(crash, "of-second.conf")));
}

class RestoreCrashPoint : public testing::TestWithParam<Crash> {};

TEST_P(RestoreCrashPoint, LeavesTheOldFileOrTheNew) {
    CrashSite untouched(machine(restore()));
    const std::string edited = untouched.site.dir.read(etc_file(untouched, "edited.conf"));
    ASSERT_EQ(run(untouched, restore(), "UNUSED=").code, 0);
    const std::string pristine = untouched.site.dir.read(etc_file(untouched, "edited.conf"));
    ASSERT_NE(pristine, edited);

    CrashSite crash(machine(restore()));
    ASSERT_NO_FATAL_FAILURE(die(crash, command(crash, restore()), GetParam()));
    EXPECT_EQ(crash.site.dir.read(etc_file(crash, "edited.conf")),
              GetParam().point == "update.etc-restored" ? pristine : edited);
    crash.site.engine().reconcile();
    EXPECT_EQ(crash.unsound(), "");
    EXPECT_EQ(run(crash, restore(), "UNUSED=").code, 0);
    EXPECT_EQ(crash.inventory(), untouched.inventory());
    EXPECT_EQ(crash.site.dir.read(etc_file(crash, "edited.conf")), pristine);
}

/// Version 2 waits once more, in the state directory of the slot where it ran; then /etc gets what
/// does not fit it. Not part of a prepared machine: a copy has other inode numbers.
void rearm(CrashSite& crash) {
    (void)crash.site.update("v2");
    crash.site.dir.write(etc_file(crash, "conf.d/two/mine"), "the image has a file there\n");
}

class GivingUpCrashPoint : public testing::TestWithParam<Crash> {};

TEST_P(GivingUpCrashPoint, GivesTheSlotItsOwnEtcBack) {
    CrashSite kept(machine(give_up()));
    CrashSite untouched(machine(give_up()));
    rearm(untouched);
    EXPECT_EQ(run(untouched, give_up(), "UNUSED=").output.substr(0, 20), "error MergeConflict:");
    CrashSite crash(machine(give_up()));
    rearm(crash);
    crash.guard({"1"});
    ASSERT_NO_FATAL_FAILURE(die(crash, command(crash, give_up()), GetParam()));
    EXPECT_EQ(crash.harm(), "");
    EXPECT_TRUE(update::last_finalize_failure(crash.site.settings));
    crash.site.engine().reconcile();
    (void)run(crash, give_up(), "UNUSED=");
    EXPECT_EQ(crash.unsound(), "");
    EXPECT_TRUE(update::last_finalize_failure(crash.site.settings));
    for (CrashSite* site : {&crash, &untouched})
        site->site.engine().remember_error(nullptr);  // whoever is killed remembers none
    EXPECT_EQ(crash.inventory(), untouched.inventory());
    // Of version 2: what it had when it was left.
    const std::string left = kept.site.engine().status().rollback.value().digest;
    const std::string deploy = "sysroot/state/deploy/" + left;
    EXPECT_EQ(test::tree_listing(crash.site.dir / deploy),
              test::tree_listing(kept.site.dir / deploy));
}

INSTANTIATE_TEST_SUITE_P(Killed,
                         ForwardCrashPoint,
                         testing::ValuesIn(test::killed_at(forward().points)),
                         test::crash_name);
INSTANTIATE_TEST_SUITE_P(PowerLoss,
                         ForwardCrashPoint,
                         testing::ValuesIn(test::power_lost_at(forward().points)),
                         test::crash_name);
INSTANTIATE_TEST_SUITE_P(Killed,
                         GivingUpCrashPoint,
                         testing::ValuesIn(test::killed_at(give_up().points)),
                         test::crash_name);
INSTANTIATE_TEST_SUITE_P(PowerLoss,
                         GivingUpCrashPoint,
                         testing::ValuesIn(test::power_lost_at(give_up().points)),
                         test::crash_name);
INSTANTIATE_TEST_SUITE_P(Killed,
                         RestoreCrashPoint,
                         testing::ValuesIn(test::killed_at(restore().points)),
                         test::crash_name);
INSTANTIATE_TEST_SUITE_P(PowerLoss,
                         RestoreCrashPoint,
                         testing::ValuesIn(test::power_lost_at(restore().points)),
                         test::crash_name);

TEST(ByHandCrashPoints, AreAllListed) {
    for (const ByHand* verb : {&forward(), &restore(), &give_up()}) {
        CrashSite crash(machine(*verb));
        if (verb == &give_up()) rearm(crash);
        const Ended ended = run(crash, *verb, "CFS_CRASH_TRACE=" + (crash.site.dir / "trace"));
        ASSERT_EQ(ended.code, verb == &give_up() ? 1 : 0) << ended.output;
        std::istringstream trace(crash.site.dir.read("trace"));
        std::set<std::string> passed;
        for (std::string line; std::getline(trace, line);)
            passed.insert(line);
        EXPECT_EQ(passed, verb->points) << verb->verb;
    }
}

}  // namespace
}  // namespace cfs
