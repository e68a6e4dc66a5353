// SPDX-License-Identifier: Apache-2.0
#include "bus_site.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <ostream>
#include <sstream>

namespace cfs::test {
namespace {

class WithDaemon : public testing::Test {
 protected:
    void SetUp() override { site_.start_daemon(); }

    BusSite site_;
};

using BusVerbs = WithDaemon;

TEST_F(BusVerbs, StatusAsJson) {
    const Ended status = site_.call({"status", "--json"});
    EXPECT_EQ(status.code, 0) << status.err;
    EXPECT_EQ(status.err, "");
    const boost::json::value value = boost::json::parse(status.out);
    EXPECT_EQ(value.at("schema").as_int64(), 1);
    EXPECT_EQ(value.at("state").as_string(), "idle");
    EXPECT_EQ(value.at("booted").at("version").as_string(), "1");
    EXPECT_EQ(value.at("deployments").as_array().size(), 1U);
    EXPECT_EQ(value.at("image").as_string(), "oci:/configured:tag");
}

TEST_F(BusVerbs, StatusForPeople) {
    const Ended status = site_.call({"status"});
    EXPECT_EQ(status.code, 0);
    EXPECT_NE(status.out.find("Booted      1 ("), std::string::npos) << status.out;
}

TEST_F(BusVerbs, UpdatePrintsALinePerStageWithoutATerminal) {
    const Ended update = site_.call({"update", "--image", "steps"});
    EXPECT_EQ(update.code, 0) << update.err;
    EXPECT_NE(update.out.find("installed 2"), std::string::npos) << update.out;
    EXPECT_NE(update.out.find("/etc/x: taken"), std::string::npos);
    EXPECT_NE(update.err.find("fetch: fetching layers\n"), std::string::npos) << update.err;
    EXPECT_EQ(update.err.find('\x1b'), std::string::npos) << update.err;
}

TEST_F(BusVerbs, UpdateAsJsonIsOneObject) {
    const Ended update = site_.call({"update", "--image", "new", "--no-finalize", "--json"});
    const boost::json::value value = boost::json::parse(update.out);
    EXPECT_EQ(value.at("outcome").as_string(), "staged");
    EXPECT_EQ(value.at("deployment").at("version").as_string(), "2");
    EXPECT_EQ(value.at("fetched_bytes").to_number<int>(), 4 << 20);
}

TEST_F(BusVerbs, AStagedUpdateSaysWhatMakesItNext) {
    const Ended staged = site_.call({"update", "--image", "new", "--no-finalize"});
    EXPECT_NE(staged.out.find("hint: reboot to run it\n"), std::string::npos) << staged.out;
    const Ended locked = site_.call({"update", "--image", "new", "--lock"});
    EXPECT_NE(locked.out.find("hint: 'cfsctl finalize' makes"), std::string::npos) << locked.out;
}

TEST_F(BusVerbs, AFailureAsJsonNamesTheError) {
    const Ended update = site_.call({"update", "--image", "network", "--json"});
    EXPECT_EQ(update.code, 1);
    const boost::json::value error = boost::json::parse(update.out).at("error");
    EXPECT_EQ(error.at("name").as_string(), "Network");
    EXPECT_EQ(error.at("hint").as_string(), "check the cable");
    EXPECT_NE(update.err.find("cfsctl: no route to it\n  hint: check the cable\n"),
              std::string::npos)
        << update.err;
}

TEST_F(BusVerbs, CollectListsWhatItWouldDo) {
    const Ended gc = site_.call({"gc", "--dry-run"});
    EXPECT_EQ(gc.code, 0);
    EXPECT_EQ(gc.out, "  objects/ab/cd\nwould drop 1 object, 2.0 KiB\n");
}

TEST_F(BusVerbs, PinAndUnpinTellNothingToDoFromDone) {
    const Ended pinned = site_.call({"pin", "1"});
    EXPECT_EQ(pinned.code, 0) << pinned.err;
    EXPECT_EQ(pinned.out, "now pinned: 1 (aaaaaaaaaaaa, kept)\n");
    const Ended unpinned = site_.call({"unpin", "1", "--json"});
    EXPECT_EQ(unpinned.code, 0) << unpinned.err;
    const boost::json::value value = boost::json::parse(unpinned.out);
    EXPECT_TRUE(value.at("changed").as_bool());
    EXPECT_FALSE(value.at("deployment").at("pinned").as_bool());
    EXPECT_EQ(site_.call({"pin", "none"}).code, 2);
    EXPECT_EQ(site_.call({"pin", "missing"}).code, 3);
    EXPECT_EQ(site_.call({"pin"}).code, 1);
}

TEST_F(BusVerbs, RemoveSaysWhatWent) {
    const Ended removed = site_.call({"remove", "1"});
    EXPECT_EQ(removed.code, 0) << removed.err;
    EXPECT_NE(removed.out.find("1 (os_1)"), std::string::npos) << removed.out;
    EXPECT_NE(removed.out.find("2.0 KiB"), std::string::npos) << removed.out;
    EXPECT_EQ(site_.call({"remove", "missing"}).code, 3);
    EXPECT_EQ(site_.call({"remove"}).code, 1);
}

TEST_F(BusVerbs, VerifyEndsWithOneWhenSomethingIsDamaged) {
    const Ended sound = site_.call({"verify", "--rate", "4K"});
    EXPECT_EQ(sound.code, 0) << sound.err;
    EXPECT_EQ(sound.out, "sound: 1 deployment, 3 objects (4.0 KiB read)\n");
    const Ended damaged = site_.call({"verify", "--full", "--json", "booted"});
    EXPECT_EQ(damaged.code, 1) << damaged.err;
    const boost::json::value value = boost::json::parse(damaged.out);
    EXPECT_FALSE(value.at("sound").as_bool());
    EXPECT_EQ(value.at("damaged").to_number<int>(), 1);
    EXPECT_EQ(value.at("items").as_array().size(), 1U);
    EXPECT_EQ(site_.call({"verify", "missing"}).code, 3);
    const Ended usage = site_.call({"verify", "--rate", "fast"});
    EXPECT_EQ(usage.code, 1);
    EXPECT_NE(usage.err.find("'fast' is no size"), std::string::npos) << usage.err;
}

TEST_F(BusVerbs, RepairTellsNothingToDoFromRepaired) {
    const Ended repaired = site_.call({"repair"});
    EXPECT_EQ(repaired.code, 0) << repaired.err;
    EXPECT_NE(repaired.out.find("repaired all 1: fetched 1 layer, 4.0 MiB\n"), std::string::npos)
        << repaired.out;
    EXPECT_EQ(site_.call({"repair", "none"}).code, 2);
    EXPECT_EQ(site_.call({"repair", "network"}).code, 1);
}

TEST_F(BusVerbs, EtcDiffShowsWhatIsLocalAndItsText) {
    const Ended diff = site_.call({"etc", "diff"});
    EXPECT_EQ(diff.code, 0) << diff.err;
    EXPECT_EQ(diff.out,
              "kept-local  /etc/ssh/sshd_config  (local: content)\n"
              "--- a/etc/ssh/sshd_config\n+++ b/etc/ssh/sshd_config\n");
    const Ended summary = site_.call({"etc", "diff", "--summary", "--json", "ssh"});
    EXPECT_EQ(summary.code, 0) << summary.err;
    const boost::json::value value = boost::json::parse(summary.out);
    EXPECT_TRUE(value.at("local_only").as_bool());
    EXPECT_TRUE(value.at("diff").is_null());
    EXPECT_EQ(value.at("changes").at(0).at("lost").as_string(), "vendor");
    const Ended nothing = site_.call({"etc", "diff", "untouched"});
    EXPECT_EQ(nothing.code, 2);
    EXPECT_EQ(nothing.out, "nothing in /etc differs from the running image\n");
}

TEST_F(BusVerbs, EtcPreviewShowsConflictsFirst) {
    const Ended preview = site_.call({"etc", "preview"});
    EXPECT_EQ(preview.code, 0) << preview.err;
    EXPECT_EQ(preview.out,
              "conflict  /etc/d: a file made here\n    the local one stays\n    hint: move it\n"
              "kept-local  /etc/ssh/sshd_config  (local: content)\n");
    EXPECT_NE(site_.call({"etc", "preview", "--diff"}).out.find("+++ b/etc/ssh"),
              std::string::npos);
    EXPECT_EQ(site_.call({"etc", "preview", "--deployment", "missing"}).code, 3);
}

TEST_F(BusVerbs, EtcRestoreTellsNothingToDoFromRestored) {
    const Ended restored = site_.call({"etc", "restore", "ssh/sshd_config"});
    EXPECT_EQ(restored.code, 0) << restored.err;
    EXPECT_EQ(restored.out, "restored /etc/ssh/sshd_config (was kept-local)\n");
    EXPECT_EQ(site_.call({"etc", "restore", "untouched"}).code, 2);
    EXPECT_EQ(site_.call({"etc", "restore"}).code, 1);
    EXPECT_EQ(site_.call({"etc"}).code, 1);
}

TEST_F(BusVerbs, HistoryIsATableOrJson) {
    const Ended table = site_.call({"history"});
    EXPECT_EQ(table.code, 0) << table.err;
    EXPECT_EQ(table.out.find("WHEN "), 0U) << table.out;
    EXPECT_LT(table.out.find("rollback"), table.out.find("uid 1000")) << table.out;
    const Ended last = site_.call({"history", "--limit", "1", "--json"});
    EXPECT_EQ(last.code, 0) << last.err;
    const boost::json::value list = boost::json::parse(last.out).at("history");
    ASSERT_EQ(list.as_array().size(), 1U);
    EXPECT_EQ(list.at(0).at("kind").as_string(), "rollback");
    EXPECT_EQ(list.at(0).at("fetched_bytes").to_number<int>(), 4 << 20);
    EXPECT_EQ(site_.call({"history", "--limit", "few"}).code, 1);
}

TEST_F(BusVerbs, TheProgressOfATerminalFits80Columns) {
    Child update(site_.cfsctl({"update", "--image", "steps"}), Child::Output::Terminal);
    const Ended ended = update.finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_NE(ended.err.find('%'), std::string::npos) << ended.err;
    std::istringstream frames(ended.err);
    for (std::string frame; std::getline(frames, frame, '\r');) {
        const std::size_t end = std::min(frame.find('\x1b'), frame.size());
        EXPECT_LT(end, 80U) << frame;
    }
    EXPECT_NE(ended.out.find("installed 2"), std::string::npos);
}

TEST_F(BusVerbs, CtrlCCancelsTheJobItStarted) {
    Child update(site_.cfsctl({"update", "--image", "slow"}));
    ASSERT_TRUE(update.wait_for_err("fetch: "));
    update.signal(SIGINT);
    const Ended ended = update.finish();
    EXPECT_EQ(ended.code, 1) << ended.err;
    EXPECT_NE(ended.err.find("cancelling"), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find("\ncfsctl: "), std::string::npos) << ended.err;
    EXPECT_EQ(site_.call({"cancel"}).code, 3);
}

TEST_F(BusVerbs, CtrlCOfOneThatJoinedLeavesTheJobRunning) {
    Child first(site_.cfsctl({"update", "--image", "slow"}));
    ASSERT_TRUE(first.wait_for_err("fetch: "));
    Child second(site_.cfsctl({"update", "--image", "slow"}));
    ASSERT_TRUE(second.wait_for_err("fetch: "));
    second.signal(SIGINT);
    const Ended left = second.finish();
    EXPECT_EQ(left.code, 1);
    EXPECT_NE(left.err.find("the job runs on"), std::string::npos) << left.err;
    EXPECT_EQ(site_.call({"cancel"}).code, 0);
    EXPECT_EQ(first.finish().code, 1);
}

TEST_F(BusVerbs, CancelStopsAnothersJob) {
    Child update(site_.cfsctl({"update", "--image", "slow"}));
    ASSERT_TRUE(update.wait_for_err("fetch: "));
    EXPECT_EQ(site_.call({"cancel"}).code, 0);
    EXPECT_EQ(update.finish().code, 1);
}

TEST_F(BusVerbs, PauseEndsTheUpdateAndResumeFollowsItToItsEnd) {
    Child update(site_.cfsctl({"update", "--image", "again"}));
    ASSERT_TRUE(update.wait_for_err("fetch: "));
    const Ended paused = site_.call({"pause"});
    EXPECT_EQ(paused.code, 0) << paused.err;
    EXPECT_EQ(paused.out, "the update is paused; 'cfsctl resume' goes on with it\n");
    const Ended ended = update.finish();
    EXPECT_EQ(ended.code, 5);
    EXPECT_NE(ended.err.find("cfsctl: the update is paused\n  hint: 'cfsctl resume' goes on"),
              std::string::npos)
        << ended.err;
    EXPECT_EQ(boost::json::parse(site_.call({"status", "--json"}).out).at("state").as_string(),
              "paused");
    EXPECT_EQ(site_.call({"pause"}).code, 2);
    const Ended blocked = site_.call({"update"});
    EXPECT_EQ(blocked.code, 5);
    EXPECT_NE(blocked.err.find(" (update) is paused\n  hint: "), std::string::npos) << blocked.err;
    const Ended resumed = site_.call({"resume"});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_NE(resumed.out.find("installed 2"), std::string::npos) << resumed.out;
    EXPECT_NE(resumed.err.find("fetch: fetching layers\n"), std::string::npos) << resumed.err;
}

TEST_F(BusVerbs, CancelGivesAPausedJobUp) {
    Child update(site_.cfsctl({"update", "--image", "slow"}));
    ASSERT_TRUE(update.wait_for_err("fetch: "));
    EXPECT_EQ(site_.call({"pause", "--json"}).out, "{\"schema\":1,\"state\":\"paused\"}\n");
    EXPECT_EQ(site_.call({"cancel"}).code, 0);
    EXPECT_EQ(site_.call({"cancel"}).code, 3);
    EXPECT_EQ(update.finish().code, 5);
}

TEST_F(BusVerbs, InhibitHoldsUpdatesUpWhileItsCommandRuns) {
    Child inhibit(site_.cfsctl({"inhibit",
                                "--why",
                                "a talk",
                                "--",
                                "sh",
                                "-c",
                                "echo begun; read line < \"$0\"; exit 7",
                                site_.fifo()}));
    ASSERT_TRUE(inhibit.wait_for_out("begun"));
    const Ended status = site_.call({"status"});
    EXPECT_NE(status.out.find("Waits       inhibited: update: sh: a talk (user id "),
              std::string::npos)
        << status.out;
    const boost::json::value json = boost::json::parse(site_.call({"status", "--json"}).out);
    EXPECT_EQ(json.at("blockers").at(0).at("kind").as_string(), "inhibited");
    const Ended update = site_.call({"update", "--image", "new"});
    EXPECT_EQ(update.code, 5);
    EXPECT_NE(update.err.find("a talk (user id "), std::string::npos) << update.err;
    EXPECT_NE(update.err.find("\n  hint: "), std::string::npos) << update.err;
    EXPECT_EQ(site_.call({"update", "--image", "new", "--ignore-inhibitors"}).code, 0);
    site_.feed_fifo();
    EXPECT_EQ(inhibit.finish().code, 7) << "the command's own";
    EXPECT_EQ(site_.call({"update", "--image", "new"}).code, 0);
}

TEST_F(BusVerbs, InhibitEndsAsItsCommandDoes) {
    EXPECT_EQ(site_.call({"inhibit", "true"}).code, 0);
    EXPECT_EQ(site_.call({"inhibit", "--", "sh", "-c", "kill -TERM $$"}).code, 128 + SIGTERM);
    const Ended none = site_.call({"inhibit", "--", "/nonexistent/command"});
    EXPECT_EQ(none.code, 127);
    EXPECT_NE(none.err.find("there is no command"), std::string::npos);
    const Ended wrong = site_.call({"inhibit", "--what", "reboot", "--", "echo", "ran"});
    EXPECT_EQ(wrong.code, 1);
    EXPECT_EQ(wrong.out, "") << "it is not run without";
}

TEST_F(BusVerbs, MonitorShowsAJobFromItsStartToItsEnd) {
    Child monitor(site_.cfsctl({"monitor", "--json"}));
    ASSERT_TRUE(monitor.wait_for_out("\"idle\""));
    EXPECT_EQ(site_.call({"update", "--image", "new"}).code, 0);
    ASSERT_TRUE(monitor.wait_for_out("\"state\":\"done\""));
    monitor.signal(SIGINT);
    const Ended ended = monitor.finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    std::istringstream lines(ended.out);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_EQ(boost::json::parse(line).at("schema").as_int64(), 1);
    }
}

TEST_F(BusVerbs, ADaemonThatDiesIsNotWaitedFor) {
    const Ended update = site_.call({"update", "--image", "die"});
    EXPECT_EQ(update.code, 1);
    EXPECT_NE(update.err.find("cfsctl: the update daemon "), std::string::npos) << update.err;
    EXPECT_NE(update.err.find("  hint: "), std::string::npos) << update.err;
}

struct Row {
    std::vector<std::string> args;
    int code;

    friend std::ostream& operator<<(std::ostream& out, const Row& row) {
        for (const std::string& arg : row.args)
            out << arg << ' ';
        return out;
    }
};

class ExitCodes : public WithDaemon, public testing::WithParamInterface<Row> {};

TEST_P(ExitCodes, AreTheDocumentedOnes) {
    const Ended ended = site_.call(GetParam().args);
    EXPECT_EQ(ended.code, GetParam().code) << ended.out << ended.err;
}

std::string row_name(const testing::TestParamInfo<Row>& test) {
    std::string out;
    for (const std::string& arg : test.param.args)
        out += (out.empty() ? "" : "_") + arg;
    out.erase(std::remove(out.begin(), out.end(), '-'), out.end());
    return out;
}

INSTANTIATE_TEST_SUITE_P(Verbs,
                         ExitCodes,
                         testing::Values(Row{{"check", "--image", "new"}, 0},
                                         Row{{"check", "--image", "none"}, 2},
                                         Row{{"check", "--image", "missing"}, 3},
                                         Row{{"update", "--image", "none"}, 2},
                                         Row{{"update", "--image", "policy"}, 5},
                                         Row{{"update", "--image", "network"}, 1},
                                         Row{{"update", "--image", "missing"}, 3},
                                         Row{{"finalize"}, 3},
                                         Row{{"rollback"}, 0},
                                         Row{{"gc"}, 0},
                                         Row{{"cancel"}, 3},
                                         Row{{"pause"}, 3},
                                         Row{{"resume"}, 3}),
                         row_name);

TEST(NoDaemon, IsSaidWithAHint) {
    const Ended status = BusSite().call({"status"});
    EXPECT_EQ(status.code, 1);
    EXPECT_EQ(status.out, "");
    EXPECT_NE(status.err.find("cfsctl: the update daemon is not running"), std::string::npos);
    EXPECT_NE(status.err.find("\n  hint: "), std::string::npos);
}

TEST(NoBus, IsSaidWithAHint) {
    const Ended status = run({CFS_CFSCTL, "--bus", "unix:path=/nonexistent/bus", "status"});
    EXPECT_EQ(status.code, 1);
    EXPECT_NE(status.err.find("cfsctl: cannot connect to the bus"), std::string::npos);
    EXPECT_NE(status.err.find("\n  hint: "), std::string::npos);
}

TEST(Refused, ByTheBusIsExitCode4) {
    BusSite site(
        R"(<deny send_destination="org.cfsupdate1" send_interface="org.cfsupdate1.Manager" send_member="Update"/>)");
    site.start_daemon();
    const Ended update = site.call({"update"});
    EXPECT_EQ(update.code, 4) << update.err;
    EXPECT_NE(update.err.find("cfsctl: not authorised"), std::string::npos) << update.err;
    EXPECT_EQ(site.call({"status"}).code, 0);
}

}  // namespace
}  // namespace cfs::test
