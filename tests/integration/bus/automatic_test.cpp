// SPDX-License-Identifier: Apache-2.0
// Updates that run themselves: what they do, what they wait for, and that they go on when it
// passes.
#include "automatic_site.hpp"

#include <atomic>

namespace cfs::test {
namespace {

TEST_F(BusAutomatic, ChecksAndInstallsWhatItChecked) {
    site_.start();
    const std::string job = client().start("Update", kAutomatic);
    EXPECT_EQ(client().wait_for_end(job).state, "done");
    // Whoever waited for the check sees what follows.
    EXPECT_FALSE(value<std::vector<sdbus::ObjectPath>>(client().manager(), "Jobs").empty() &&
                 count(kStage) == 0);
    EXPECT_TRUE(comes(kStage));
    EXPECT_TRUE(rests());
    EXPECT_EQ(count(kCheck), 1U);
    EXPECT_EQ(system_.count("Reboot"), 0U);
}

TEST_F(BusAutomatic, WaitsForAMeteredConnectionToEnd) {
    waits(
        "metered",
        "the network connection is metered. It goes on all the same after ",
        [&] { system_.set("Metered", 1U); },
        [&] { system_.set("Metered", 2U); });
}

TEST_F(BusAutomatic, WaitsForTheBattery) {
    waits(
        "on-battery",
        "on battery with 39 percent; at least 40 are needed",
        [&] {
            system_.set("OnBattery", true);
            system_.set("IsPresent", true);
            system_.set("Percentage", 39.0);
        },
        [&] { system_.set("OnBattery", false); });
}

TEST_F(BusAutomatic, WaitsUntilNobodyWorksThere) {
    site_.automatic.policy.idle = settings::IdleWait::Always;
    waits(
        "not-idle",
        "somebody is working at the machine",
        [&] { system_.set("IdleHint", false); },
        [&] { system_.set("IdleHint", true); });
}

TEST_F(BusAutomatic, WaitsForTheEndOfAShutdownThatIsCalledOff) {
    waits(
        "shutting-down",
        "the machine is about to shut down",
        [&] { system_.set("PreparingForShutdown", true); },
        [&] { system_.set("PreparingForShutdown", false); });
}

// The service that held it goes away, and with it its word.
TEST_F(BusAutomatic, WhoeverHeldItMayLeave) {
    waits(
        "metered",
        "the network",
        [&] { system_.set("Metered", 1U); },
        [&] { system_.vanish(FakeSystem::kNetwork); });
}

TEST_F(BusAutomatic, WaitsForItsWindow) {
    const auto now = std::make_shared<std::atomic<std::int64_t>>(1'795'305'600);
    site_.automatic.now = [now] { return std::chrono::system_clock::from_time_t(*now); };
    const policy::Time closed = std::chrono::system_clock::from_time_t(*now);
    // Whatever the zone: from one or two hours later on, for three.
    settings::Window window;
    const std::string hour = policy::local_text(closed).substr(15, 2);
    window.begin = (std::stoi(hour) * 60 + 60) % settings::kMinutesOfDay;
    window.end = (std::stoi(hour) * 60 + 240) % settings::kMinutesOfDay;
    site_.automatic.policy.windows = {window};
    waits(
        "outside-window",
        "policy.windows opens ",
        [] {},
        [&] {
            *now += 2 * 3600 + 1800;
            system_.set("Metered", 2U);  // somebody says something
        });
}

// By itself, when its time has come.
TEST_F(BusAutomatic, WaitsForItsTurnInTheRollout) {
    site_.automatic.policy.rollout_spread = 2s;
    site_.start();
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    ASSERT_TRUE(until([&] { return blockers().contains("rollout"); }));
    EXPECT_TRUE(comes(kStage));
    // Its share is 0.79: printf 1:msha256:aa | sha256sum.
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1500ms);
    EXPECT_TRUE(rests());
}

TEST_F(BusAutomatic, ARolloutThatDoesNotReachItIsFromTheImage) {
    offer({{"org.cfsupdate1.rollout.percent", "0"}});
    site_.start();
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    ASSERT_TRUE(until([&] { return blockers().contains("rollout"); }));
    EXPECT_EQ(count(kStage), 0U);
}

TEST_F(BusAutomatic, BacksOffAndTriesAgain) {
    site_.automatic.policy.backoff = 200ms;
    site_.automatic.policy.backoff_max = 400ms;
    std::atomic<bool> broken = true;
    site_.engine.set_verb([&](update::ProgressSink&, const std::stop_token&) {
        if (broken) throw Error(ErrorCode::Network, "no way there");
    });
    site_.start();
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    ASSERT_TRUE(until([&] { return blockers().contains("back-off"); }));
    EXPECT_EQ(blockers()["back-off"].rfind("it failed ", 0), 0U) << blockers()["back-off"];
    EXPECT_TRUE(comes(kCheck, 3)) << "it tries by itself";
    broken = false;
    EXPECT_TRUE(comes(kStage));
    EXPECT_TRUE(rests());
}

TEST_F(BusAutomatic, WaitsForAnotherJobAndForInhibitors) {
    site_.start();
    UniqueFd fd = client().inhibit({{"why", sdbus::Variant{std::string("a talk")}}});
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    ASSERT_TRUE(until([&] { return blockers().contains("waiting"); }));
    EXPECT_TRUE(blockers().contains("inhibited"));
    EXPECT_EQ(count(kStage), 0U);
    fd.reset();
    EXPECT_TRUE(comes(kStage));
    EXPECT_TRUE(rests());
}

TEST_F(BusAutomatic, APersonIsNotHeldByIt) {
    system_.set("Metered", 1U);
    site_.start();
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    ASSERT_TRUE(until([&] { return blockers().contains("metered"); }));
    EXPECT_EQ(client().call_with_options("Update"), "ok");
    EXPECT_TRUE(comes("update image= finalize=1 digest="));
}

TEST_F(BusAutomatic, LevelNoneRefusesAndLevelCheckOnlyLooks) {
    site_.automatic.policy.automatic = PolicyLevel::None;
    site_.start();
    const std::string answer = client().call_with_options("Update", kAutomatic);
    EXPECT_EQ(answer.rfind("org.cfsupdate1.Error.PolicyForbids: policy.automatic is \"none\"", 0),
              0U)
        << answer;
    EXPECT_EQ(count(kCheck), 0U);
    EXPECT_TRUE(blockers().empty());
}

TEST_F(BusAutomatic, LevelCheckOnlyLooks) {
    site_.automatic.policy.automatic = PolicyLevel::Check;
    site_.start();
    EXPECT_EQ(client().wait_for_end(client().start("Update", kAutomatic)).state, "done");
    EXPECT_TRUE(rests());
    EXPECT_EQ(count(kStage), 0U);
}

TEST_F(BusAutomatic, LevelDownloadLeavesTheRestToAPerson) {
    site_.automatic.policy.automatic = PolicyLevel::Download;
    site_.start();
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    EXPECT_TRUE(comes(kDownload));
    EXPECT_TRUE(rests());
}

TEST_F(BusAutomatic, LevelApplyStartsTheMachineAgainWhenNobodyMinds) {
    site_.automatic.policy.automatic = PolicyLevel::Apply;
    system_.set_inhibitors({{"shutdown", "Writer", "a CD is burnt", "block"}});
    site_.start();
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    EXPECT_TRUE(comes(kStage)) << "the installation needs no leave";
    ASSERT_TRUE(until([&] { return blockers().contains("shutdown-inhibited"); }));
    EXPECT_EQ(blockers()["shutdown-inhibited"],
              "a program keeps the machine from shutting down: Writer: a CD is burnt");
    EXPECT_EQ(system_.count("Reboot"), 0U);
    system_.set("IdleHint", false);
    system_.set_inhibitors({});
    ASSERT_TRUE(until([&] { return blockers().contains("not-idle"); }));
    EXPECT_EQ(system_.count("Reboot"), 0U);
    system_.set("IdleHint", true);
    EXPECT_TRUE(until([&] { return system_.count("Reboot") == 1; }));
    EXPECT_TRUE(rests());
}

TEST_F(BusAutomatic, LevelApplyRestartsSoftlyWhereThatIsEnough) {
    site_.automatic.policy.soft_reboot = true;
    owe_reboot("");
    EXPECT_TRUE(until([&] { return system_.count("RebootWithFlags 5") == 1; }));
    EXPECT_EQ(site_.engine.wanted_soft_reboot(), "aa");
    EXPECT_EQ(system_.count("Reboot"), 0U);
}

TEST_F(BusAutomatic, LevelApplyStartsTheMachineAgainWhereASoftRebootIsNotEnough) {
    site_.automatic.policy.soft_reboot = true;
    owe_reboot("its kernel is another one");
    EXPECT_TRUE(until([&] { return system_.count("Reboot") == 1; }));
    EXPECT_EQ(site_.engine.wanted_soft_reboot(), "");
}

// It was tried before the daemon was started anew, and what waits waits still.
TEST_F(BusAutomatic, LevelApplyTriesASoftRebootOnce) {
    site_.automatic.policy.soft_reboot = true;
    soft_tried = "aa";
    owe_reboot("");
    EXPECT_TRUE(until([&] { return system_.count("Reboot") == 1; }));
    EXPECT_EQ(system_.count("RebootWithFlags 5"), 0U);
}

TEST_F(BusAutomatic, ASoftRebootThatLogindRefusesBecomesAReboot) {
    site_.automatic.policy.soft_reboot = true;
    site_.engine.soft_reboot_error.emplace(ErrorCode::Unsupported, "there is none");
    owe_reboot("");
    EXPECT_TRUE(until([&] { return system_.count("Reboot") == 1; }));
}

// The daemon is started anew between the installation and the reboot: it still owes that.
TEST_F(BusAutomatic, AnOwedRebootOutlivesTheDaemon) {
    system_.set("IdleHint", false);
    owe_reboot("");
    ASSERT_TRUE(until([&] { return blockers().contains("not-idle"); }));
    system_.set("IdleHint", true);
    EXPECT_TRUE(until([&] { return system_.count("Reboot") == 1; }));
}

TEST_F(BusAutomatic, TheOptionStandsAlone) {
    site_.start();
    bus::VariantMap options = kAutomatic;
    options["lock"] = sdbus::Variant{true};
    EXPECT_EQ(client()
                  .call_with_options("Update", options)
                  .rfind("org.freedesktop.DBus.Error.InvalidArgs: ", 0),
              0U);
}

TEST_F(BusAutomatic, StopsWhileItWaits) {
    system_.set("Metered", 1U);
    site_.start();
    EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
    ASSERT_TRUE(until([&] { return blockers().contains("metered"); }));
    site_.stop();
}

}  // namespace
}  // namespace cfs::test
