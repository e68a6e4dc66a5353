// SPDX-License-Identifier: Apache-2.0
// Who may make the next boot of what is staged and locked: whoever acquired it here, and for
// anything else an administrator, by the daemon.
#include "adapter_site.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;

class Locked : public testing::Test {
 protected:
    void SetUp() override {
        site.publish("2");
        site.start_daemon();
        site.start_adapter();
        center = std::make_unique<Center>(site.address());
    }

    /// As `cfsctl stage` does, by root and past the adapter.
    void stage(bool lock) {
        const std::vector<std::string> call{
            "call", bus::kName, bus::kManagerPath, bus::kManagerInterface, "Stage", "a{sv}", "1"};
        std::vector<std::string> argv = call;
        argv.insert(argv.end(), {"lock", "b", lock ? "true" : "false"});
        const Ended called = site.service.bus.busctl(argv);
        ASSERT_EQ(called.code, 0) << called.err;
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (!shows(lock ? "\"locked\" b true" : "\"locked\" b false") &&
               std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(20ms);
        ASSERT_TRUE(shows(lock ? "\"locked\" b true" : "\"locked\" b false"));
        // What the daemon signalled before is heard by the adapter before it is called.
        static_cast<void>(center->ask<std::string>(1s, "GetVersion"));
    }

    bool shows(const std::string& part) {
        const Ended read = site.service.bus.busctl(
            {"get-property", bus::kName, bus::kManagerPath, bus::kManagerInterface, "Staged"});
        return read.out.find(part) != std::string::npos;
    }

    void restart_adapter() {
        EXPECT_EQ(site.stop_adapter().code, 0);
        site.start_adapter();
    }

    std::string check_new() { return center->ask<std::string>(10s, "CheckNew"); }

    /// "NAME: TEXT" of why it does not start.
    std::string refusal(const char* method, const std::string& version) {
        try {
            center->start(method, version);
            return "it started";
        } catch (const sdbus::Error& e) {
            return std::string(e.getName()) + ": " + std::string(e.getMessage());
        }
    }

    void expect_refused() {
        for (const char* method : {"Install", "Update"}) {
            for (const char* version : {"", "2"}) {
                const std::string why = refusal(method, version);
                EXPECT_EQ(why.rfind(sysupdate::kNoCandidate, 0), 0U) << method << version << why;
                EXPECT_NE(why.find("an administrator locked it"), std::string::npos) << why;
                EXPECT_NE(why.find("'cfsctl finalize' arms it"), std::string::npos) << why;
            }
        }
        const auto calls = site.service.engine.calls();
        EXPECT_EQ(std::count(calls.begin(), calls.end(), "finalize"), 0);
    }

    void expect_installs() {
        EXPECT_EQ(check_new(), "2");
        const auto job = center->start("Install", "");
        EXPECT_EQ(job.version, "2");
        EXPECT_EQ(center->wait_for_end(job.path).removed, 0);
        EXPECT_EQ(site.service.engine.calls().back(), "finalize");
    }

    Door door;  // it outlives who stands in it
    AdapterSite site;
    std::unique_ptr<Center> center;
};

TEST_F(Locked, ByAnAdministratorItIsNotOffered) {
    stage(true);
    EXPECT_EQ(check_new(), "");
    expect_refused();
    EXPECT_EQ(center->ask<std::string>(1s, "GetVersion"), "1") << "nothing boots it";
    const auto described =
        boost::json::parse(
            center->ask<std::string>(1s, "Describe", std::string("2"), std::uint64_t{0}))
            .as_object();
    EXPECT_FALSE(described.at("acquired").as_bool());
    EXPECT_FALSE(described.at("available").as_bool());
    restart_adapter();
    EXPECT_EQ(check_new(), "");
    expect_refused();
}

TEST_F(Locked, BySomebodyElseSomethingNewerIsOfferedAllTheSame) {
    stage(true);
    site.publish("3");
    EXPECT_EQ(check_new(), "3");
    EXPECT_NE(refusal("Install", "").find("an administrator locked it"), std::string::npos);
    EXPECT_EQ(center->wait_for_end(center->start("Update", "").path).removed, 0);
}

TEST_F(Locked, ByAcquireItIsInstalledAlsoAfterARestartOfTheAdapter) {
    EXPECT_EQ(center->wait_for_end(center->start("Acquire", "").path).removed, 0);
    restart_adapter();
    expect_installs();
}

TEST_F(Locked, ByAcquireItIsInstalledAlsoAfterARestartOfTheDaemon) {
    EXPECT_EQ(center->wait_for_end(center->start("Acquire", "").path).removed, 0);
    site.service.stop();
    site.start_daemon();
    expect_installs();
}

TEST_F(Locked, ByAnAcquireThatTheAdapterDidNotSeeTheEndOf) {
    site.set_update({},
                    [&](update::ProgressSink&, const std::stop_token& stop) { door.pass(stop); });
    const auto job = center->start("Acquire", "");
    ASSERT_TRUE(door.wait_until_reached());
    EXPECT_EQ(site.stop_adapter().code, 0);
    EXPECT_EQ(center->wait_for_end(job.path).removed, -ECONNRESET);
    site.start_adapter();
    EXPECT_EQ(center->ask<std::string>(1s, "GetVersion"), "1");
    door.open();
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!shows("\"locked\" b true") && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(20ms);
    expect_installs();
}

TEST_F(Locked, ByAcquireThenAnewByAnAdministrator) {
    EXPECT_EQ(center->wait_for_end(center->start("Acquire", "").path).removed, 0);
    EXPECT_EQ(check_new(), "2");
    stage(false);
    stage(true);
    EXPECT_EQ(check_new(), "") << "what was acquired was unlocked since";
    expect_refused();
}

TEST_F(Locked, ByAnAdministratorAfterAnAcquireThatFailed) {
    site.set_update([](update::ProgressSink&, const std::stop_token&) {
        throw Error(ErrorCode::Network, "no route to it");
    });
    EXPECT_NE(center->wait_for_end(center->start("Acquire", "").path).removed, 0);
    site.set_update({});
    stage(true);
    EXPECT_EQ(check_new(), "");
    expect_refused();
}

// Nobody locked it: it waits for whoever sits at the machine.
TEST(LockedByPolicy, ItIsInstalledByWhoeverMay) {
    AdapterSite site;
    site.service.automatic.policy.automatic = settings::PolicyLevel::Download;
    site.publish("2");
    site.start_daemon();
    const auto manager = [&](std::vector<std::string> words) {
        words.insert(words.begin() + 1, {bus::kName, bus::kManagerPath, bus::kManagerInterface});
        return site.service.bus.busctl(words);
    };
    ASSERT_EQ(manager({"call", "Update", "a{sv}", "1", "automatic", "b", "true"}).code, 0);
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    const auto fetched = [&] {
        return manager({"get-property", "Staged"}).out.find("\"for-anyone\" b true") !=
               std::string::npos;
    };
    while (!fetched() && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(20ms);
    ASSERT_TRUE(fetched());
    site.start_adapter();
    Center center(site.address());
    EXPECT_EQ(center.ask<std::string>(10s, "GetVersion"), "1");
    EXPECT_EQ(center.ask<std::string>(10s, "CheckNew"), "2");
    EXPECT_EQ(center.wait_for_end(center.start("Install", "").path).removed, 0);
    EXPECT_EQ(site.service.engine.calls().back(), "finalize");
}

// Hostile or not, what cannot be read is nothing remembered.
TEST_F(Locked, ByAcquireButTheRecordIsDamaged) {
    EXPECT_EQ(center->wait_for_end(center->start("Acquire", "").path).removed, 0);
    EXPECT_EQ(site.stop_adapter().code, 0);
    site.damage_record();
    site.start_adapter();
    EXPECT_EQ(check_new(), "");
    expect_refused();
}

}  // namespace
}  // namespace cfs::test
