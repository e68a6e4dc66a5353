// SPDX-License-Identifier: Apache-2.0
// Callers, daemons and registries that do not behave.
#include "adapter_site.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <thread>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

constexpr std::uint64_t kNoFlags = 0;

class Adapter : public testing::Test {
 protected:
    void start() {
        site.publish("2");
        site.start_daemon();
        site.start_adapter();
        center = std::make_unique<Center>(site.address());
    }

    Door door;  // it outlives who stands in it
    AdapterSite site;
    std::unique_ptr<Center> center;
};

TEST_F(Adapter, SaysWhenThereIsNothingToDo) {
    start();
    site.publish("");
    EXPECT_EQ(center->ask<std::string>(10s, "CheckNew"), "");
    for (const char* method : {"Update", "Acquire", "Install"}) {
        for (const char* version : {"", "1", "7"}) {
            const bool known = std::string(version) != "7";
            EXPECT_EQ(error_of([&] { center->start(method, version); }),
                      known ? sysupdate::kNoCandidate : sysupdate::kNoSuchVersion)
                << method << " " << version;
        }
    }
    EXPECT_TRUE(center->heard().empty()) << "no job, no end";
}

// A registry that never answers: eight seconds, then what was known before.
TEST_F(Adapter, ChecksForEightSecondsAtMost) {
    start();
    EXPECT_EQ(center->ask<std::string>(10s, "CheckNew"), "2");
    // Nothing of the first counts any more.
    site.service.stop();
    site.set_check([&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    site.start_daemon();
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(center->ask<std::string>(10s, "CheckNew"), "2");
    const auto took = std::chrono::steady_clock::now() - before;
    EXPECT_GT(took, 7500ms) << "it waited for it";
    EXPECT_LT(took, 9s);
}

TEST_F(Adapter, AFailedCheckIsNoNewsAndAFailedUpdateAnError) {
    start();
    site.set_check([](update::ProgressSink&, const std::stop_token&) {
        throw Error(ErrorCode::Network, "no route to it");
    });
    EXPECT_EQ(center->ask<std::string>(10s, "CheckNew"), "");
    EXPECT_EQ(error_of([&] { center->start("Update", ""); }), "System.Error.EHOSTUNREACH");
}

TEST_F(Adapter, AsksTheRegistryOnceForAllWhoAsk) {
    start();
    std::vector<std::unique_ptr<Center>> centers;
    for (int i = 0; i < 4; ++i)
        centers.push_back(std::make_unique<Center>(site.address()));
    std::vector<std::jthread> threads;
    for (auto& each : centers) {
        threads.emplace_back([&each] {
            for (int i = 0; i < 5; ++i)
                EXPECT_EQ(each->ask<std::string>(10s, "CheckNew"), "2");
        });
    }
    threads.clear();
    const auto calls = site.service.engine.calls();
    EXPECT_EQ(std::count(calls.begin(), calls.end(), "check image="), 1);
}

TEST_F(Adapter, RefusesFlagsThatItDoesNotKnow) {
    start();
    const char* const target = sysupdate::kTargetPath;
    for (const std::uint64_t flags : {std::uint64_t{2}, std::uint64_t{3}, ~std::uint64_t{0}}) {
        EXPECT_EQ(center->outcome(target, kTarget, "List", flags), sysupdate::kInvalidArgs);
        EXPECT_EQ(center->outcome(target, kTarget, "Describe", std::string("1"), flags),
                  sysupdate::kInvalidArgs);
    }
    for (const char* method : {"Update", "Acquire", "Install"}) {
        EXPECT_EQ(center->outcome(target, kTarget, method, std::string(), std::uint64_t{1}),
                  sysupdate::kInvalidArgs)
            << method << ": offline is for List and Describe";
    }
    EXPECT_EQ(center->outcome(target, kTarget, "ListFeatures", std::uint64_t{1}),
              sysupdate::kInvalidArgs);
    EXPECT_EQ(center->ask<Strings>(1s, "ListFeatures", kNoFlags), Strings{});
    EXPECT_EQ(center->outcome(target, kTarget, "DescribeFeature", std::string("x"), kNoFlags),
              sysupdate::kNotSupported);
    EXPECT_EQ(
        center->outcome(
            target, kTarget, "SetFeatureEnabled", std::string("x"), std::int32_t{1}, kNoFlags),
        sysupdate::kNotSupported);
}

TEST_F(Adapter, SurvivesHostileStrings) {
    start();
    const char* const target = sysupdate::kTargetPath;
    const std::string huge(1 << 20, 'x');
    for (const std::string& version : {std::string("</component>"),
                                       std::string("2\n"),
                                       std::string("\x1b[2J"),
                                       std::string("../../etc/passwd"),
                                       std::string("%s%n"),
                                       std::string(256, 'y')}) {
        EXPECT_EQ(center->outcome(target, kTarget, "Describe", version, kNoFlags),
                  sysupdate::kNoSuchVersion)
            << version;
        EXPECT_EQ(center->outcome(target, kTarget, "Update", version, kNoFlags),
                  sysupdate::kNoSuchVersion)
            << version;
    }
    for (const char* method : {"Describe", "Update", "Acquire", "Install", "DescribeFeature"}) {
        EXPECT_EQ(center->outcome(target, kTarget, method, huge, kNoFlags), sysupdate::kInvalidArgs)
            << method;
        EXPECT_EQ(center->outcome(target, kTarget, method, std::string(257, 'y'), kNoFlags),
                  sysupdate::kInvalidArgs)
            << method;
    }
    EXPECT_EQ(center->ask<std::string>(1s, "GetVersion"), "1");
}

// An image may call itself anything.
TEST_F(Adapter, HandsHostileVersionsOnInOneLineAndEscaped) {
    const std::string version = "2<b>&\"'\n\x01]]>\xef\xbf\xbe";
    site.publish(version, "https://example.org/<x>");
    site.start_daemon();
    site.start_adapter();
    center = std::make_unique<Center>(site.address());
    const auto found = center->ask<std::string>(10s, "CheckNew");
    EXPECT_EQ(found.find('\n'), std::string::npos);
    EXPECT_EQ(found.rfind("2<b>&\"'", 0), 0U) << found;
    const Ended parsed = run({"python3",
                              "-c",
                              R"(
import sys, json, xml.etree.ElementTree as ET
root = ET.fromstring(sys.argv[1])
print(json.loads(sys.argv[2])["version"] == sys.argv[3],
      root.find("releases")[0].get("version").startswith("2<b>&\"'"),
      root.find("releases")[0].find("url") is None)
)",
                              site.metadata(),
                              center->ask<std::string>(1s, "Describe", found, kNoFlags),
                              found});
    EXPECT_EQ(parsed.out, "True True True\n") << parsed.err << site.metadata();
    EXPECT_EQ(center->wait_for_end(center->start("Update", found).path).removed, 0);
}

// 400 calls at once from one connection: each has an answer, and nobody else waits for it.
TEST_F(Adapter, AnswersAFloodInFull) {
    start();
    Center other(site.address());
    const auto object = center->proxy(sysupdate::kTargetPath);
    std::atomic<int> answered = 0;
    for (int i = 0; i < 400; ++i) {
        bus::call_then(*object,
                       bus::make_call(*object, kTarget, "List", false, kNoFlags),
                       20s,
                       [&](const bus::Answer&) { ++answered; });
    }
    EXPECT_EQ(other.ask<std::string>(1s, "GetVersion"), "1");
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (answered < 400 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(10ms);
    EXPECT_EQ(answered, 400);
}

// updatectl and Phosh ask for every version at once, and leave out those that are refused.
TEST_F(Adapter, DescribesAHundredVersionsAtOnce) {
    start();
    const auto object = center->proxy(sysupdate::kTargetPath);
    std::atomic<int> answered = 0;
    std::atomic<int> refused = 0;
    for (int i = 0; i < 100; ++i) {
        bus::call_then(
            *object,
            bus::make_call(*object, kTarget, "Describe", false, std::string("1"), kNoFlags),
            20s,
            [&](const bus::Answer& answer) {
                if (answer.failed) ++refused;
                ++answered;
            });
    }
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (answered < 100 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(10ms);
    EXPECT_EQ(answered, 100);
    EXPECT_EQ(refused, 0);
}

TEST_F(Adapter, OfAMachineWithNothingOnItTheListIsAnError) {
    site.service.engine.set_status({});
    site.start_daemon();
    site.start_adapter();
    center = std::make_unique<Center>(site.address());
    EXPECT_EQ(center->outcome(sysupdate::kTargetPath, kTarget, "List", std::uint64_t{1}),
              sysupdate::kNoSuchVersion);
}

TEST_F(Adapter, NumbersNeverRepeatOverItsRestarts) {
    start();
    std::uint64_t last = 0;
    for (int i = 0; i < 4; ++i) {
        site.publish(std::to_string(2 + i));
        const auto job = center->start("Update", "");
        EXPECT_GT(job.id, last);
        last = job.id;
        EXPECT_EQ(center->wait_for_end(job.path).removed, 0);
        EXPECT_EQ(site.stop_adapter().code, 0);
        site.start_adapter();
    }
}

// The daemon's job goes on; who followed it through us has to look again.
TEST_F(Adapter, TellsThatItStopsFollowingAJob) {
    site.set_update({},
                    [&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    start();
    const auto job = center->start("Update", "");
    ASSERT_TRUE(door.wait_until_reached());
    EXPECT_EQ(site.stop_adapter().code, 0);
    EXPECT_EQ(center->wait_for_end(job.path).removed, -ECONNRESET);
    site.start_adapter();
    EXPECT_EQ(error_of([&] { center->start("Update", ""); }), "System.Error.EBUSY")
        << "the daemon is still at it";
    door.open();
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (center->ask<std::string>(1s, "GetVersion") != "2" &&
           std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(20ms);
    EXPECT_EQ(center->ask<std::string>(1s, "GetVersion"), "2");
}

// Orderly: it cancels its job, and says so.
TEST_F(Adapter, AJobEndsWithTheDaemonThatIsStopped) {
    site.set_update({},
                    [&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    start();
    const auto job = center->start("Update", "");
    ASSERT_TRUE(door.wait_until_reached());
    site.service.stop();
    EXPECT_EQ(center->wait_for_end(job.path).removed, -ECANCELED);
}

// A paused one is on record there: it goes on with the next daemon, under its number.
TEST_F(Adapter, FollowsAPausedJobAcrossARestartOfTheDaemon) {
    site.set_update({},
                    [&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    start();
    const auto job = center->start("Update", "");
    ASSERT_TRUE(door.wait_until_reached());
    const std::string path = bus::kJobPathPrefix + std::to_string(job.id);
    const auto call = [&](const char* method) {
        return site.service.bus.busctl({"call", bus::kName, path, bus::kJobInterface, method});
    };
    EXPECT_EQ(call("Pause").code, 0);
    const auto state = [&] {
        return site.service.bus
            .busctl({"get-property", bus::kName, path, bus::kJobInterface, "State"})
            .out;
    };
    while (state() != "s \"paused\"\n")
        std::this_thread::sleep_for(10ms);
    site.service.stop();
    door.open();
    site.start_daemon();
    EXPECT_TRUE(center->heard().empty() || !center->heard().back().removed);
    EXPECT_EQ(call("Resume").code, 0);
    EXPECT_EQ(center->wait_for_end(job.path).removed, 0);
}

// Its record is lost: without an end the adapter would be busy for ever.
TEST_F(Adapter, EndsAPausedJobThatTheNextDaemonDoesNotHave) {
    site.set_update({},
                    [&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    start();
    const auto job = center->start("Update", "");
    ASSERT_TRUE(door.wait_until_reached());
    const std::string path = bus::kJobPathPrefix + std::to_string(job.id);
    EXPECT_EQ(site.service.bus.busctl({"call", bus::kName, path, bus::kJobInterface, "Pause"}).code,
              0);
    while (!site.service.engine.paused_job())
        std::this_thread::sleep_for(10ms);
    site.service.stop();
    site.service.engine.set_paused_job(nullptr);
    door.open();
    std::this_thread::sleep_for(300ms);
    for (const auto& heard : center->heard())
        EXPECT_FALSE(heard.removed) << "without a daemon nobody knows";
    site.start_daemon();
    EXPECT_EQ(center->wait_for_end(job.path).removed, -ECONNRESET);
    const auto again = center->start("Update", "");
    EXPECT_EQ(center->wait_for_end(again.path).removed, 0);
}

TEST_F(Adapter, EndsWhenNobodyWantsAnything) {
    site.start_daemon();
    const auto start = std::chrono::steady_clock::now();
    site.start_adapter({"--idle-exit", "0.3"});
    const Ended ended = site.finish_adapter();
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_NE(ended.err.find("stopping: nobody wants anything"), std::string::npos) << ended.err;
    EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST_F(Adapter, StaysForAJob) {
    site.publish("2");
    site.set_update({},
                    [&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    site.start_daemon();
    site.start_adapter({"--idle-exit", "0.3"});
    center = std::make_unique<Center>(site.address());
    const auto job = center->start("Update", "");
    std::this_thread::sleep_for(1s);
    door.open();
    EXPECT_EQ(center->wait_for_end(job.path).removed, 0);
    std::this_thread::sleep_for(1s);
    EXPECT_EQ(center->properties(job.path, kJob).at("Progress").get<std::uint32_t>(), 100U)
        << "and for whoever looks at it late";
}

TEST_F(Adapter, EndsWithAnErrorWhenTheNameIsTaken) {
    site.start_adapter();
    const Ended second = run({CFS_ADAPTER, "--bus", site.address(), "--run", "/nonexistent/run"});
    EXPECT_EQ(second.code, 1);
    EXPECT_NE(second.err.find("could not be had"), std::string::npos) << second.err;
    EXPECT_NE(second.err.find("Does systemd-sysupdated run?"), std::string::npos) << second.err;
}

}  // namespace
}  // namespace cfs::test
