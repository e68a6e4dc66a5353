// SPDX-License-Identifier: Apache-2.0
// The driver is killed at each named point of each verb, and the machine loses its power there.
#include "base/crash_point.hpp"
#include "forgetful.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <ostream>
#include <set>
#include <sstream>

namespace cfs {
namespace {

using test::Crash;
using test::CrashSite;
using test::Death;
using test::die;
using test::run_process;

struct Verb {
    const char* name;
    const char* machine;  ///< what it is done to
    const char* tag;
    std::vector<std::string> guarded;  ///< versions that must come to no harm
    std::set<std::string> points;      ///< all that it passes
};

const std::set<std::string> kStaging = {"update.recorded",
                                        "store.object-linked",
                                        "store.stream-linked",
                                        "store.image-linked",
                                        "store.ref-linked",
                                        "update.before-pins",
                                        "update.pinned",
                                        "update.entry-written",
                                        "update.state-built",
                                        "update.state-made",
                                        "esp.before-copy",
                                        "esp.copied",
                                        "update.staged"};
const std::set<std::string> kTold = {"update.history-written"};
const std::set<std::string> kVar = {"update.var-built", "update.var-made"};
const std::set<std::string> kStagingAgain = {"update.recorded",
                                             "store.stream-linked",
                                             "store.image-linked",
                                             "store.ref-linked",
                                             "update.before-pins",
                                             "update.pinned",
                                             "esp.before-copy",
                                             "esp.copied",
                                             "update.staged"};
const std::set<std::string> kArming = {
    "update.finalizing", "update.before-arm", "esp.before-arm", "esp.armed", "update.armed"};
const std::set<std::string> kMerging = {"update.entry-written",
                                        "update.etc-merged",
                                        "update.etc-placed",
                                        "update.etc-exchanged",
                                        "update.etc-kept"};
const std::set<std::string> kDropping = {
    "update.drop-recorded", "esp.removed", "update.state-dropped", "update.unpinned"};

std::set<std::string> all_of(std::initializer_list<std::set<std::string>> parts) {
    std::set<std::string> out;
    for (const auto& part : parts)
        out.insert(part.begin(), part.end());
    return out;
}

const std::vector<Verb>& verbs() {
    static const std::vector<Verb> list = {
        {"install", "empty", "v1", {}, all_of({kStaging, kVar, kArming, kTold})},
        {"update", "installed", "v2", {"1"}, all_of({kStaging, kMerging, kArming, kTold})},
        // The image's state directory is a kept slot's, with an /etc of its own.
        {"update",
         "returned",
         "v2",
         {"1"},
         all_of({kStagingAgain, kMerging, {"update.etc-noted"}, kArming, kTold})},
        {"stage", "installed", "v2", {"1"}, all_of({kStaging, kTold})},
        // A newer stage takes the place of the one that waits.
        {"stage", "staged", "v3", {"1"}, all_of({kStaging, kDropping, kTold})},
        {"finalize", "staged", "", {"1"}, all_of({kMerging, kArming, kTold})},
        {"shutdown", "staged", "", {"1"}, all_of({kMerging, kArming, kTold})},
        {"shutdown", "armed", "", {"1"}, kMerging},
        {"shutdown", "rearmed", "", {"1"}, kMerging},
        {"rollback",
         "updated",
         "",
         {"1", "2"},
         {"update.rollback-recorded",
          "update.rollback-promoted",
          "esp.demoted",
          "update.rolled-back",
          "update.history-written"}},
        // A lower version: the loader has to be told, and what is left behind when it is proven.
        {"downgrade",
         "updated",
         "v1",
         {"2"},
         all_of(
             {kStagingAgain, kMerging, {"update.etc-noted", "update.trial-set"}, kArming, kTold})},
        {"prove",
         "tried",
         "",
         {"2"},
         all_of({kTold,
                 {"update.trial-decided",
                  "update.rollback-promoted",
                  "esp.demoted",
                  "update.rolled-back"}})},
        {"collect",
         "surplus",
         "",
         {"2", "3"},
         all_of({kDropping, kTold, {"store.gc-links-pruned", "store.gc-objects-removed"}})},
        {"remove",
         "surplus",
         "1",
         {"2", "3"},
         all_of({kDropping, kTold, {"store.gc-links-pruned", "store.gc-objects-removed"}})},
        // The collection that follows would take it.
        {"pin", "surplus", "1", {"1", "2", "3"}, all_of({kTold, {"update.pin-saved"}})},
    };
    return list;
}

std::string title(const Verb& verb) {
    return std::string(verb.name) + "_" + verb.machine;
}

std::string machine(const Verb& verb) {
    return std::string(CFS_MACHINES) + "/" + verb.machine;
}

std::set<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::set<std::string> out;
    for (std::string line; std::getline(in, line);)
        out.insert(line);
    return out;
}

/// What was armed already is neither installed nor finalized nor rolled back twice.
bool says_done(const test::Ended& ended) {
    return ended.code == 1 && (ended.output.find("error Busy: ") != std::string::npos ||
                               ended.output.find("error NotFound: ") != std::string::npos);
}

/// The same verb once more by hand, then a collection.
void go_on(CrashSite& crash, const Verb& verb) {
    const auto again = run_process(crash.command(CFS_DRIVE, verb.name, verb.tag));
    EXPECT_TRUE(again.code == 0 || says_done(again)) << again.output;
    const auto collected = run_process(crash.command(CFS_DRIVE, "collect"));
    EXPECT_EQ(collected.code, 0) << collected.output;
}

std::ostream& operator<<(std::ostream& out, const Verb& verb) {
    return out << title(verb);
}

struct Point {
    const Verb* verb;
    Crash crash;
};

std::ostream& operator<<(std::ostream& out, const Point& point) {
    return out << title(*point.verb) << ' ' << point.crash;
}

std::vector<Point> kills() {
    std::vector<Point> out;
    for (const Verb& verb : verbs()) {
        for (const auto& crash : test::killed_at(verb.points))
            out.push_back({&verb, crash});
    }
    return out;
}

/// Another point of each verb in a short run.
std::vector<Point> power_losses() {
    std::vector<Point> out;
    std::size_t count = 0;
    for (const Point& kill : kills()) {
        if (test::is_sampled(count++))
            out.push_back({kill.verb, {kill.crash.point, Death::PowerLoss}});
    }
    return out;
}

class CrashPoint : public testing::TestWithParam<Point> {};

TEST_P(CrashPoint, LeavesOldOrNewAndNothingElse) {
    const Verb& verb = *GetParam().verb;
    CrashSite untouched(machine(verb));
    ASSERT_EQ(run_process(untouched.command(CFS_DRIVE, verb.name, verb.tag)).code, 0);
    ASSERT_EQ(run_process(untouched.command(CFS_DRIVE, "collect")).code, 0);

    CrashSite crash(machine(verb));
    const bool has_old = !verb.guarded.empty();
    if (has_old) crash.guard(verb.guarded);
    ASSERT_NO_FATAL_FAILURE(
        die(crash, crash.command(CFS_DRIVE, verb.name, verb.tag), GetParam().crash));
    EXPECT_EQ(crash.harm(), "");
    if (has_old) {
        crash.site.engine().reconcile();
        EXPECT_EQ(crash.unsound(), "");
    }
    go_on(crash, verb);
    if (!has_old) (void)crash.site.reboot();
    EXPECT_EQ(crash.unsound(), "");
    if (!has_old) (void)untouched.site.reboot();
    EXPECT_EQ(crash.inventory(), untouched.inventory());
}

std::string name_of(const testing::TestParamInfo<Point>& row) {
    return title(*row.param.verb) + "_at_" + test::test_name(row.param.crash.point);
}

INSTANTIATE_TEST_SUITE_P(Killed, CrashPoint, testing::ValuesIn(kills()), name_of);
INSTANTIATE_TEST_SUITE_P(PowerLoss, CrashPoint, testing::ValuesIn(power_losses()), name_of);

class RevertingEtc : public testing::TestWithParam<Crash> {};

/// Finalizing dies behind the exchange, and then the reconcile that gives the /etc back.
TEST_P(RevertingEtc, CanBeInterrupted) {
    CrashSite crash(std::string(CFS_MACHINES) + "/returned");
    const std::string deploy = crash.site.settings.sysroot + "/state/deploy/";
    std::string kept;
    for (const auto& entry : std::filesystem::directory_iterator(deploy)) {
        if (std::filesystem::exists(entry.path() / "etc/of-second.conf")) kept = entry.path();
    }
    ASSERT_NE(kept, "");
    crash.guard({"1"});
    const auto die_at = [&](const char* verb, const char* tag, const char* point) {
        die(crash, crash.command(CFS_DRIVE, verb, tag), {point, GetParam().death});
    };
    die_at("update", "v2", "update.before-arm");
    EXPECT_TRUE(std::filesystem::exists(kept + "/etc.next/of-second.conf"));
    die_at("reconcile", "", GetParam().point.c_str());
    EXPECT_TRUE(std::filesystem::exists(kept + "/etc/of-second.conf"));
    crash.site.engine().reconcile();
    EXPECT_TRUE(std::filesystem::exists(kept + "/etc/of-second.conf"));
    EXPECT_FALSE(std::filesystem::exists(kept + "/etc.next"));
    EXPECT_EQ(crash.unsound(), "");
}

INSTANTIATE_TEST_SUITE_P(Killed,
                         RevertingEtc,
                         testing::ValuesIn(test::killed_at({"update.etc-reverted"})),
                         test::crash_name);
INSTANTIATE_TEST_SUITE_P(PowerLoss,
                         RevertingEtc,
                         testing::ValuesIn(test::power_lost_at({"update.etc-reverted"})),
                         test::crash_name);

class NotingAFallback : public testing::TestWithParam<Crash> {};

/// A version's tries are used up, and whoever notices that dies before it is held.
TEST_P(NotingAFallback, CanBeInterrupted) {
    CrashSite crash(std::string(CFS_MACHINES) + "/installed");
    (void)crash.site.update("v2");
    const std::string uki = crash.site.engine().status().staged->uki;
    const std::string folder = crash.site.settings.esp + "/EFI/Linux/";
    std::filesystem::rename(folder + uki, folder + uki.substr(0, uki.find('+')) + "+0-2.efi");
    die(crash, crash.command(CFS_DRIVE, "reconcile"), GetParam());
    EXPECT_EQ(crash.site.engine().status().deployments.at(0).state, update::DeploymentState::Kept);
    crash.site.engine().reconcile();
    const auto status = crash.site.engine().status();
    EXPECT_EQ(status.deployments.at(0).state, update::DeploymentState::Failed);
    ASSERT_TRUE(status.fallback);
    EXPECT_EQ(status.fallback->version, "2");
}

INSTANTIATE_TEST_SUITE_P(Killed,
                         NotingAFallback,
                         testing::ValuesIn(test::killed_at({"update.fallback-noted"})),
                         test::crash_name);
INSTANTIATE_TEST_SUITE_P(PowerLoss,
                         NotingAFallback,
                         testing::ValuesIn(test::power_lost_at({"update.fallback-noted"})),
                         test::crash_name);

class CrashPoints : public testing::TestWithParam<Verb> {};

TEST_P(CrashPoints, AreAllListed) {
    const Verb& verb = GetParam();
    CrashSite crash(machine(verb));
    const auto ended = run_process(crash.command(CFS_DRIVE, verb.name, verb.tag),
                                   {"CFS_CRASH_TRACE=" + (crash.site.dir / "trace")});
    ASSERT_EQ(ended.code, 0) << ended.output;
    EXPECT_EQ(lines_of(crash.site.dir.read("trace")), verb.points);
}

INSTANTIATE_TEST_SUITE_P(Verbs, CrashPoints, testing::ValuesIn(verbs()), [](const auto& row) {
    return title(row.param);
});

}  // namespace
}  // namespace cfs
