// SPDX-License-Identifier: Apache-2.0
// What NetworkManager, UPower and logind say, and what becomes of it when they do not.
#include "service/conditions.hpp"

#include "fake_system.hpp"
#include "service/condition_values.hpp"
#include "support/private_bus.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace cfs::service {
namespace {

using namespace std::chrono_literals;
using test::FakeSystem;

class Conditions : public testing::Test {
 protected:
    Conditions() { pump_.start(); }

    ~Conditions() override { pump_.stop(); }

    /// Runs the loop until then; false after ten seconds.
    bool until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) return false;
            io_.restart();
            io_.run_for(2ms);
        }
        return true;
    }

    bool known() {
        bool known = false;
        watch_.know([&] { known = true; });
        return until([&] { return known; });
    }

    const policy::Conditions& now() { return watch_.now(); }

    test::PrivateBus bus_;
    boost::asio::io_context io_;
    std::unique_ptr<sdbus::IConnection> connection_ = bus::connect(bus_.address());
    BusPump pump_{io_, *connection_, [](const std::string&) {}, {}};
    ConditionWatch::Timing timing_{2000ms, 20ms};
    int changes_ = 0;
    ConditionWatch watch_{io_, *connection_, pump_, timing_, [this] { ++changes_; }};
    FakeSystem system_{bus_.address()};
};

TEST_F(Conditions, NobodyThereTellsNothingAndNobodyIsStarted) {
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(known());
    EXPECT_EQ(now(), policy::Conditions{});
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 1500ms) << "nothing was waited for";
    EXPECT_TRUE(system_.calls().empty());
}

TEST_F(Conditions, AreRead) {
    for (const char* name : {FakeSystem::kNetwork, FakeSystem::kPower, FakeSystem::kLogin})
        system_.appear(name);
    system_.set("Metered", 1U);
    system_.set("OnBattery", true);
    system_.set("IsPresent", true);
    system_.set("Percentage", 41.9);
    system_.set("IdleHint", false);
    system_.set("PreparingForShutdown", true);
    system_.set_inhibitors({{"shutdown:sleep", "Writer", "a CD is burnt", "block"},
                            {"sleep", "Player", "a film", "block"},
                            {"shutdown", "Saver", "saving", "delay"}});
    ASSERT_TRUE(known());
    EXPECT_EQ(now().metered, true);
    EXPECT_EQ(now().on_battery, true);
    EXPECT_EQ(now().battery_percent, 41U);
    EXPECT_EQ(now().idle, false);
    EXPECT_TRUE(now().shutting_down);
    EXPECT_EQ(now().blocks_shutdown, std::vector<std::string>{"Writer: a CD is burnt"});
}

// Each in turn comes, is heard of, and goes, while it is listened.
TEST_F(Conditions, ChangesAreHeard) {
    for (const char* name : {FakeSystem::kNetwork, FakeSystem::kPower, FakeSystem::kLogin})
        system_.appear(name);
    ASSERT_TRUE(known());
    const auto heard = [this](const std::function<bool()>& so) {
        const bool came = until([&] { return so() && changes_ > 0; });
        changes_ = 0;
        return came;
    };
    system_.set("Metered", 3U);
    EXPECT_TRUE(heard([&] { return now().metered == true; }));
    system_.set("Metered", 4U);
    EXPECT_TRUE(heard([&] { return now().metered == false; }));
    system_.set("OnBattery", true);
    EXPECT_TRUE(heard([&] { return now().on_battery == true; }));
    system_.set("IsPresent", true);
    system_.set("Percentage", 12.0);
    EXPECT_TRUE(heard([&] { return now().battery_percent == 12U; }));
    system_.set("IdleHint", true);
    EXPECT_TRUE(heard([&] { return now().idle == true; }));
    system_.set_inhibitors({{"shutdown", "a", "b", "block-weak"}});
    EXPECT_TRUE(heard([&] { return now().blocks_shutdown.size() == 1; }));
    system_.set_inhibitors({});
    EXPECT_TRUE(heard([&] { return now().blocks_shutdown.empty(); }));
}

TEST_F(Conditions, AServiceThatGoesTakesItsWordWithIt) {
    system_.appear(FakeSystem::kNetwork);
    system_.set("Metered", 1U);
    ASSERT_TRUE(known());
    EXPECT_EQ(now().metered, true);
    system_.vanish(FakeSystem::kNetwork);
    EXPECT_TRUE(until([&] { return !now().metered; }));
    system_.set("Metered", 2U);
    system_.appear(FakeSystem::kNetwork);
    EXPECT_TRUE(until([&] { return now().metered == false; }));
}

TEST_F(Conditions, ASlowServiceIsNotWaitedForForever) {
    system_.appear(FakeSystem::kNetwork);
    system_.set("Metered", 1U);
    system_.hang(true);
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(known());
    EXPECT_FALSE(now().metered);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1900ms);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    system_.hang(false);
    system_.set("Metered", 1U);
    EXPECT_TRUE(until([&] { return now().metered == true; })) << "it came back";
}

TEST_F(Conditions, NonsenseIsNotBelieved) {
    for (const char* name : {FakeSystem::kNetwork, FakeSystem::kPower, FakeSystem::kLogin})
        system_.appear(name);
    system_.set("Metered", std::string("yes"));
    system_.set("OnBattery", 1U);
    system_.set("IsPresent", true);
    system_.set("Percentage", 1e300);
    system_.set("IdleHint", 0.5);
    system_.set("PreparingForShutdown", std::string("true"));
    ASSERT_TRUE(known());
    EXPECT_EQ(now(), policy::Conditions{});
    for (const double percent : {-1.0, 100.5, std::numeric_limits<double>::quiet_NaN()}) {
        policy::Conditions into;
        into.battery_percent = 50;
        read_battery({{"IsPresent", sdbus::Variant{true}}, {"Percentage", sdbus::Variant{percent}}},
                     into);
        EXPECT_FALSE(into.battery_percent) << percent;
    }
    policy::Conditions into;
    read_network({{"Metered", sdbus::Variant{std::uint32_t{5}}}}, into);
    EXPECT_FALSE(into.metered);
}

TEST_F(Conditions, ManyInhibitorsAndLongTextsAreCut) {
    const std::vector<Inhibitor> all(
        1000, Inhibitor{"shutdown", std::string(9999, 'x'), "a\nb", "block", 0U, 1U});
    policy::Conditions into;
    read_inhibitors(all, 2, into);
    EXPECT_EQ(into.blocks_shutdown.size(), 64U);
    EXPECT_LT(into.blocks_shutdown.front().size(), 400U);
    EXPECT_EQ(into.blocks_shutdown.front().find('\n'), std::string::npos);
    read_inhibitors(all, 1, into);
    EXPECT_TRUE(into.blocks_shutdown.empty()) << "they are our own";
}

// Nobody wants to know: nothing is asked, whatever is signalled, and so nothing wakes us.
TEST_F(Conditions, NothingIsAskedWhileNobodyWantsToKnow) {
    system_.appear(FakeSystem::kNetwork);
    system_.set("Metered", 1U);
    io_.run_for(100ms);
    EXPECT_TRUE(system_.calls().empty());
    ASSERT_TRUE(known());
    const std::size_t asked = system_.calls().size();
    EXPECT_GT(asked, 0U);
    watch_.stop();
    EXPECT_EQ(now(), policy::Conditions{});
    system_.set("Metered", 2U);
    io_.restart();
    io_.run_for(100ms);
    EXPECT_EQ(system_.calls().size(), asked);
}

TEST_F(Conditions, AFloodOfSignalsIsAskedAboutAFewTimes) {
    system_.appear(FakeSystem::kNetwork);
    ASSERT_TRUE(known());
    const std::size_t before = system_.calls().size();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 500; ++i)
        system_.set("Metered", std::uint32_t(1 + i % 2));
    system_.set("Metered", 1U);
    ASSERT_TRUE(until([&] { return now().metered == true; }));
    io_.restart();
    io_.run_for(100ms);
    const auto took = std::chrono::steady_clock::now() - begin;
    // One question each 20 ms, and one more.
    EXPECT_LE(system_.calls().size() - before, static_cast<std::size_t>(took / 20ms) + 1);
    EXPECT_EQ(now().metered, true);
}

TEST_F(Conditions, StoppingInTheMiddleForgetsWhoWaits) {
    system_.appear(FakeSystem::kNetwork);
    system_.hang(true);
    bool known = false;
    watch_.know([&] { known = true; });
    io_.run_for(50ms);
    watch_.stop();
    io_.restart();
    io_.run_for(500ms);
    EXPECT_FALSE(known);
}

}  // namespace
}  // namespace cfs::service
