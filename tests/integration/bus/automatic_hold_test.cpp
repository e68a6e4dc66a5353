// SPDX-License-Identifier: Apache-2.0
// What becomes of an automatic installation that runs when the machine is not any more as it was
// when that began.
#include "automatic_site.hpp"

#include <atomic>

namespace cfs::test {
namespace {

class BusAutomaticHold : public BusAutomatic {
 protected:
    /// An installation, begun by the policy, that is on its way until it is asked to stop; the next
    /// one ends by itself.
    void begin_one() {
        site_.engine.set_verb([this](update::ProgressSink& progress, const std::stop_token& stop) {
            if (site_.engine.calls().back() != kStage || begun_.exchange(true)) return;
            progress.stage("fetch");
            site_.door.pass(stop);
        });
        site_.start();
        EXPECT_EQ(client().call_with_options("Update", kAutomatic), "ok");
        ASSERT_TRUE(site_.door.wait_until_reached());
        ASSERT_EQ(count(kStage), 1U);
    }

    /// It is stopped and says why, and a second one ends what it began.
    void stops_and_goes_on(const char* kind,
                           const std::function<void()>& bring,
                           const std::function<void()>& pass) {
        begin_one();
        bring();
        ASSERT_TRUE(until([&] { return blockers().contains(kind); })) << kind;
        EXPECT_EQ(value<std::string>(client().manager(), "State"), "idle");
        EXPECT_EQ(count(kStage), 1U);
        pass();
        EXPECT_TRUE(comes(kStage, 2));
        EXPECT_TRUE(rests());
        EXPECT_EQ(count(kCheck), 1U) << "what was checked is what is installed";
    }

    std::atomic<bool> begun_ = false;
};

TEST_F(BusAutomaticHold, StopsWhenTheConnectionIsMeteredNow) {
    stops_and_goes_on(
        "metered", [&] { system_.set("Metered", 1U); }, [&] { system_.set("Metered", 2U); });
}

TEST_F(BusAutomaticHold, StopsWhenThePowerIsGoneNow) {
    stops_and_goes_on(
        "on-battery",
        [&] {
            system_.set("IsPresent", true);
            system_.set("Percentage", 12.0);
            system_.set("OnBattery", true);
        },
        [&] { system_.set("OnBattery", false); });
}

// Windows and idleness say when something begins; who comes back is not worth a half-done fetch.
TEST_F(BusAutomaticHold, GoesOnWhenSomebodyComesBack) {
    site_.automatic.policy.idle = settings::IdleWait::Always;
    begin_one();
    system_.set("IdleHint", false);
    std::this_thread::sleep_for(200ms);
    EXPECT_EQ(value<std::string>(client().manager(), "State"), "updating");
    EXPECT_TRUE(blockers().empty());
    site_.door.open();
    EXPECT_TRUE(rests());
    EXPECT_EQ(count(kStage), 1U);
}

// A person who asks for the same shares the job, and is not held by the link.
TEST_F(BusAutomaticHold, GoesOnWhenAPersonWantsItToo) {
    begin_one();
    const std::string job =
        client().start("Update", {{"expected-digest", sdbus::Variant{std::string("sha256:aa")}}});
    system_.set("Metered", 1U);
    std::this_thread::sleep_for(200ms);
    EXPECT_EQ(value<std::string>(client().manager(), "State"), "updating");
    site_.door.open();
    EXPECT_EQ(client().wait_for_end(job).state, "done");
    EXPECT_EQ(count(kStage), 1U);
}

TEST_F(BusAutomaticHold, LeavesAPausedJobToWhoPausedIt) {
    begin_one();
    const auto jobs = value<std::vector<sdbus::ObjectPath>>(client().manager(), "Jobs");
    EXPECT_EQ(client().call_bare(jobs.back(), bus::kJobInterface, "Pause"), "ok");
    const auto state = [&] { return value<std::string>(client().manager(), "State"); };
    ASSERT_TRUE(until([&] { return state() == "paused"; }));
    system_.set("Metered", 1U);
    std::this_thread::sleep_for(200ms);
    EXPECT_EQ(state(), "paused");
    EXPECT_EQ(client().call_bare(jobs.back(), bus::kJobInterface, "Cancel"), "ok");
    EXPECT_TRUE(rests());
    EXPECT_EQ(count(kStage), 1U);
}

// Who cancels it does not want it to come back.
TEST_F(BusAutomaticHold, StaysAwayWhenAPersonCancels) {
    begin_one();
    const auto jobs = value<std::vector<sdbus::ObjectPath>>(client().manager(), "Jobs");
    client().cancel(jobs.back());
    EXPECT_TRUE(rests());
    EXPECT_EQ(count(kStage), 1U);
}

}  // namespace
}  // namespace cfs::test
