// SPDX-License-Identifier: Apache-2.0
// The adapter and the daemon as the bus starts them: how soon there is an answer, and what becomes
// of a job whose daemon dies.
//
// Times are medians of several runs, so that one that met a busy moment says nothing. Where others
// leave us a fraction of a core the limits are ten times as high, as everywhere in these tests.
#include "center.hpp"
#include "support/private_bus.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <thread>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using Milliseconds = std::chrono::duration<double, std::milli>;
using Strings = std::vector<std::string>;
using Targets = std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>>;

double median_of(int runs, const std::function<void()>& f) {
    std::vector<double> times;
    for (int i = 0; i < runs; ++i) {
        const auto before = std::chrono::steady_clock::now();
        f();
        times.push_back(Milliseconds(std::chrono::steady_clock::now() - before).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

double patience() {
    double load = 0;
    const bool starved = ::getloadavg(&load, 1) == 1 &&
                         load > 2.0 * static_cast<double>(std::thread::hardware_concurrency());
    return starved ? 10 : 1;
}

class Activation : public testing::Test {
 protected:
    /// A bus that starts both when they are called; the adapter ends when nobody calls for `idle`
    /// seconds.
    void make_bus(const std::string& daemon, const std::string& image, const std::string& idle) {
        dir_.write("c.toml",
                   "image = \"" + image + "\"\nsysroot = \"" + dir_ / "sysroot" + "\"\nesp = \"" +
                       dir_ / "esp" + "\"\nrun = \"" + dir_ / "run" + "\"\n");
        add_service(bus::kName, daemon + " --config " + dir_ / "c.toml" + " --bus session");
        add_service(sysupdate::kName,
                    std::string(CFS_ADAPTER) + " --bus session --run " + dir_ / "adapter" +
                        " --idle-exit " + idle);
        dir_.write("bus.conf",
                   "<busconfig><type>session</type><servicedir>" + dir_ / "services" +
                       "</servicedir><policy context=\"default\"><allow send_destination=\"*\"/>"
                       "<allow own=\"*\"/></policy></busconfig>\n");
        bus_ = std::make_unique<PrivateBus>(dir_ / "bus.conf");
    }

    void add_service(const std::string& name, const std::string& exec) {
        dir_.write("services/" + name + ".service",
                   "[D-BUS Service]\nName=" + name + "\nExec=" + exec + "\n");
    }

    [[nodiscard]] std::string about(const char* method, const char* name) const {
        return bus_
            ->busctl({"call",
                      "org.freedesktop.DBus",
                      "/org/freedesktop/DBus",
                      "org.freedesktop.DBus",
                      method,
                      "s",
                      name})
            .out;
    }

    [[nodiscard]] pid_t pid_of(const char* name) const {
        const std::string answer = about("GetConnectionUnixProcessID", name);  // "u 123\n"
        return answer.size() > 2 ? std::stoi(answer.substr(2)) : 0;
    }

    void wait_until_gone(const char* name) const {
        while (about("NameHasOwner", name) == "b true\n")
            std::this_thread::sleep_for(10ms);
    }

    TempDir dir_;
    std::unique_ptr<PrivateBus> bus_;
};

// GNOME Software looks for the name here, and leaves it alone when it is missing.
TEST_F(Activation, IsListedBeforeItRuns) {
    make_bus(CFS_CFSUPDATED, "oci:/images:stable", "60");
    const auto connection = bus::connect(bus_->address());
    const auto bus_daemon = sdbus::createProxy(*connection,
                                               bus::ServiceName{"org.freedesktop.DBus"},
                                               sdbus::ObjectPath{"/org/freedesktop/DBus"});
    auto reply = bus_daemon->callMethod(
        bus::make_call(*bus_daemon, "org.freedesktop.DBus", "ListActivatableNames", false), 200ms);
    Strings names;
    reply >> names;
    EXPECT_NE(std::find(names.begin(), names.end(), sysupdate::kName), names.end());
    EXPECT_EQ(about("NameHasOwner", sysupdate::kName), "b false\n");
}

TEST_F(Activation, TheFirstAnswerComesSoon) {
    make_bus(CFS_CFSUPDATED, "oci:/images:stable", "0.02");
    const double first = median_of(7, [&] {
        Center center(bus_->address());
        EXPECT_EQ(
            std::get<0>(center.call<Targets>(10s, sysupdate::kManagerPath, kManager, "ListTargets"))
                .size(),
            1U);
    });
    EXPECT_LT(first, 500 * patience()) << "milliseconds, the median of seven";
}

// Neither of the two runs: the longest way that an answer has.
TEST_F(Activation, TheFirstAnswerOfTheDaemonComesWithinASecond) {
    make_bus(CFS_CFSUPDATED, "oci:/images:stable", "0.02");
    std::vector<double> times;
    for (int i = 0; i < 5; ++i) {
        Center center(bus_->address());
        times.push_back(median_of(1, [&] { (void)center.ask<std::string>(10s, "GetVersion"); }));
        wait_until_gone(sysupdate::kName);
        ::kill(pid_of(bus::kName), SIGTERM);
        wait_until_gone(bus::kName);
    }
    std::sort(times.begin(), times.end());
    EXPECT_LT(times[2], 500 * patience()) << "milliseconds, the median of five";
}

TEST_F(Activation, WhatIsKnownIsAnsweredAtOnce) {
    make_bus(CFS_SCRIPTED_DAEMON, "shown", "60");
    Center center(bus_->address());
    EXPECT_EQ(center.ask<std::string>(10s, "CheckNew"), "2");
    const auto limit = 20 * patience();
    EXPECT_LT(median_of(50, [&] { (void)center.ask<std::string>(1s, "GetVersion"); }), limit);
    EXPECT_LT(median_of(50, [&] { (void)center.ask<Strings>(1s, "GetAppStream"); }), limit);
    EXPECT_LT(median_of(50, [&] { (void)center.ask<Strings>(1s, "List", std::uint64_t{0}); }),
              limit);
    EXPECT_LT(median_of(50,
                        [&] {
                            (void)center.ask<std::string>(
                                1s, "Describe", std::string("2"), std::uint64_t{0});
                        }),
              limit);
    EXPECT_LT(median_of(50,
                        [&] {
                            (void)center.call<Targets>(
                                1s, sysupdate::kManagerPath, kManager, "ListTargets");
                        }),
              limit);
    EXPECT_LT(median_of(50, [&] { (void)center.ask<std::string>(10s, "CheckNew"); }), limit)
        << "right after another one";
}

TEST_F(Activation, ItEndsAndComesBackBetweenAnyTwoCalls) {
    make_bus(CFS_SCRIPTED_DAEMON, "shown", "0.02");
    Center center(bus_->address());
    for (int i = 0; i < 40; ++i) {
        EXPECT_EQ(center.ask<std::string>(5s, "GetVersion"), "1") << "call " << i;
        std::this_thread::sleep_for(18ms + std::chrono::microseconds(i * 97));
    }
}

// The next one, which the bus starts at once, knows nothing of it.
TEST_F(Activation, AJobEndsWithADaemonThatDies) {
    make_bus(CFS_SCRIPTED_DAEMON, "shown", "60");
    Center center(bus_->address());
    EXPECT_EQ(center.ask<std::string>(10s, "CheckNew"), "2");
    const auto job = center.start("Update", "");
    // It fetches for some 600 milliseconds.
    ::kill(pid_of(bus::kName), SIGKILL);
    EXPECT_EQ(center.wait_for_end(job.path).removed, -ECONNRESET);
    EXPECT_EQ(center.ask<std::string>(5s, "GetVersion"), "1") << "of the next daemon";
    EXPECT_EQ(center.ask<std::string>(10s, "CheckNew"), "2");
}

// Callers are not kept waiting for ever, nor is the processor kept busy.
TEST_F(Activation, ADaemonThatDoesNotStartIsAnError) {
    make_bus("/bin/false", "shown", "60");
    Center center(bus_->address());
    EXPECT_EQ(center.call<Targets>(1s, sysupdate::kManagerPath, kManager, "ListTargets"),
              center.call<Targets>(1s, sysupdate::kManagerPath, kManager, "ListTargets"));
    EXPECT_THROW((void)center.ask<std::string>(20s, "GetVersion"), sdbus::Error);
    EXPECT_THROW((void)center.start("Update", ""), sdbus::Error);
    EXPECT_EQ(center.ask<Strings>(1s, "GetAppStream").size(), 1U);
}

}  // namespace
}  // namespace cfs::test
