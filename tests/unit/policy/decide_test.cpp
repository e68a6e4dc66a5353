// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.hpp"

#include "policy/rules.hpp"
#include "policy/share.hpp"
#include "time_zone.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace cfs::policy {
namespace {

using namespace std::chrono_literals;
using settings::PolicyLevel;
using settings::PolicySettings;
using test::utc;

const Time kNow = utc("2026-11-22 12:00:00");  // a Sunday

std::vector<Reason> reasons(const std::vector<Blocker>& blockers) {
    std::vector<Reason> out;
    for (const Blocker& blocker : blockers)
        out.push_back(blocker.reason);
    return out;
}

Question ask(Step step, Trigger trigger = Trigger::Timer) {
    Question question;
    question.step = step;
    question.trigger = trigger;
    question.now = kNow;
    question.release = {"sha256:aa", kNow - 1h, {}};
    question.machine = "m";
    return question;
}

PolicySettings apply() {
    PolicySettings policy;
    policy.automatic = PolicyLevel::Apply;
    return policy;
}

class Decide : public ::testing::Test {
    test::TimeZone zone_{"UTC"};
};

TEST_F(Decide, NothingInTheWayLetsAllPass) {
    for (const Step step : {Step::Check, Step::Download, Step::Stage, Step::Reboot}) {
        for (const Trigger trigger : {Trigger::Timer, Trigger::Gui, Trigger::Cli, Trigger::Admin})
            EXPECT_TRUE(decide(apply(), ask(step, trigger)).empty());
    }
}

TEST_F(Decide, TheLevelIsHowFarTheTimerGoes) {
    const std::array levels{PolicyLevel::None,
                            PolicyLevel::Check,
                            PolicyLevel::Download,
                            PolicyLevel::Stage,
                            PolicyLevel::Apply};
    const std::array steps{Step::Check, Step::Download, Step::Stage, Step::Reboot};
    for (std::size_t level = 0; level < levels.size(); ++level) {
        PolicySettings policy;
        policy.automatic = levels.at(level);
        for (std::size_t step = 0; step < steps.size(); ++step) {
            EXPECT_EQ(decide(policy, ask(steps.at(step))).empty(), step < level);
            EXPECT_TRUE(decide(policy, ask(steps.at(step), Trigger::Cli)).empty());
        }
    }
}

TEST_F(Decide, WhatNobodyCouldTellHoldsNothing) {
    Question question = ask(Step::Stage);
    question.conditions = {};
    PolicySettings policy = apply();
    policy.battery_least = 100;
    policy.ac_least = 100;
    EXPECT_TRUE(decide(policy, question).empty());
    question.conditions.on_battery = true;  // and no battery to be seen
    EXPECT_TRUE(decide(policy, question).empty());
}

struct Case {
    const char* name;
    Reason reason;
    std::function<void(PolicySettings&, Question&)> bring;
};

/// Each reason alone.
const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        {"policy",
         Reason::Level,
         [](auto& policy, auto&) { policy.automatic = PolicyLevel::None; }},
        {"shutting-down",
         Reason::ShuttingDown,
         [](auto&, auto& question) { question.conditions.shutting_down = true; }},
        {"shutdown-inhibited",
         Reason::Inhibited,
         [](auto&, auto& question) { question.conditions.blocks_shutdown = {"a: b"}; }},
        {"on-battery",
         Reason::OnBattery,
         [](auto&, auto& question) {
             question.conditions.on_battery = true;
             question.conditions.battery_percent = 39;
         }},
        {"metered",
         Reason::Metered,
         [](auto&, auto& question) { question.conditions.metered = true; }},
        {"not-idle",
         Reason::NotIdle,
         [](auto& policy, auto& question) {
             policy.idle = settings::IdleWait::Always;
             question.conditions.idle = false;
         }},
        {"outside-window",
         Reason::OutsideWindow,
         [](auto& policy, auto&) {
             policy.windows = {*settings::parse_window("02:00-04:00")};
             policy.reboot_windows = policy.windows;
         }},
        {"rollout",
         Reason::Rollout,
         [](auto&, auto& question) { question.release.rollout.percent = 0; }},
        {"back-off", Reason::BackOff, [](auto&, auto& question) {
             question.failures = {3, kNow - 1min};
         }}};
    return all;
}

TEST_F(Decide, EachReasonHoldsTheTimerWhereItsRuleSays) {
    ASSERT_EQ(cases().size(), kReasons.size());
    for (const Case& one : cases()) {
        EXPECT_EQ(to_string(one.reason), one.name);
        for (const Step step : {Step::Check, Step::Download, Step::Stage, Step::Reboot}) {
            PolicySettings policy = apply();
            Question question = ask(step);
            one.bring(policy, question);
            const auto found = reasons(decide(policy, question));
            const std::vector<Reason> meant = concerns(rule_of(one.reason), step)
                                                  ? std::vector<Reason>{one.reason}
                                                  : std::vector<Reason>{};
            EXPECT_EQ(found, meant) << one.name << " at step " << static_cast<int>(step);
        }
    }
}

// What a person asks for is done: only what would cut it off, or others' work, is in the way.
TEST_F(Decide, APersonIsHeldByFewReasons) {
    for (const Case& one : cases()) {
        const bool shuts_down = one.reason == Reason::ShuttingDown;
        for (const Trigger trigger : {Trigger::Gui, Trigger::Cli, Trigger::Admin}) {
            PolicySettings policy = apply();
            Question question = ask(Step::Stage, trigger);
            one.bring(policy, question);
            EXPECT_EQ(decide(policy, question).empty(), !shuts_down) << one.name;
            question.step = Step::Reboot;
            EXPECT_EQ(decide(policy, question).empty(),
                      !shuts_down && one.reason != Reason::Inhibited)
                << one.name;
        }
    }
}

TEST_F(Decide, AStrictPolicyHoldsAPersonAndNotRoot) {
    for (const Case& one : cases()) {
        PolicySettings policy = apply();
        policy.strict = {"metered", "on-battery", "outside-window"};
        const bool named =
            std::find(policy.strict.begin(), policy.strict.end(), one.name) != policy.strict.end();
        Question question = ask(Step::Stage, Trigger::Gui);
        one.bring(policy, question);
        if (one.reason == Reason::ShuttingDown) continue;
        EXPECT_EQ(decide(policy, question).empty(), !named) << one.name;
        question.trigger = Trigger::Admin;
        EXPECT_TRUE(decide(policy, question).empty()) << one.name;
    }
}

TEST_F(Decide, AgeReleasesWhatTheMachineIsLike) {
    for (const Case& one : cases()) {
        PolicySettings policy = apply();
        policy.max_age = 48h;
        Question question = ask(Step::Stage);
        one.bring(policy, question);
        question.release.first_seen = kNow - 48h + 1s;
        const auto held = decide(policy, question);
        question.release.first_seen = kNow - 48h;
        const bool goes_on = decide(policy, question).empty();
        if (!concerns(rule_of(one.reason), Step::Stage)) continue;
        EXPECT_EQ(goes_on, rule_of(one.reason).ages) << one.name;
        ASSERT_EQ(held.size(), 1U) << one.name;
        if (rule_of(one.reason).ages) {
            EXPECT_EQ(held.front().until, kNow + 1s) << one.name;
        }
        policy.max_age = 0ms;
        EXPECT_FALSE(decide(policy, question).empty()) << one.name;
    }
}

TEST_F(Decide, ARebootWaitsForItsWindowHoweverOldItIs) {
    PolicySettings policy = apply();
    policy.reboot_windows = {*settings::parse_window("Mon 02:00-04:00")};
    Question question = ask(Step::Reboot);
    question.release.first_seen = kNow - 9000h;
    const auto blockers = decide(policy, question);
    ASSERT_EQ(reasons(blockers), std::vector{Reason::OutsideWindow});
    EXPECT_EQ(blockers.front().until, utc("2026-11-23 02:00:00"));
    EXPECT_EQ(blockers.front().text, "policy.reboot_windows opens Mon 2026-11-23 02:00");
    question.now = utc("2026-11-23 02:00:00");
    EXPECT_TRUE(decide(policy, question).empty());
    // Only the reboot: the installation needs no window here.
    EXPECT_TRUE(decide(policy, ask(Step::Stage)).empty());
}

TEST_F(Decide, WithoutRebootWindowsTheOthersCount) {
    PolicySettings policy = apply();
    policy.windows = {*settings::parse_window("02:00-04:00")};
    EXPECT_EQ(reasons(decide(policy, ask(Step::Reboot))), std::vector{Reason::OutsideWindow});
}

TEST_F(Decide, PowerHasTwoThresholds) {
    struct Row {
        bool on_battery;
        unsigned percent;
        bool goes;
    };

    PolicySettings policy = apply();
    policy.battery_least = 40;
    policy.ac_least = 10;
    for (const Row& row : {Row{true, 39, false},
                           Row{true, 40, true},
                           Row{false, 9, false},
                           Row{false, 10, true},
                           Row{false, 39, true}}) {
        Question question = ask(Step::Stage);
        question.conditions.on_battery = row.on_battery;
        question.conditions.battery_percent = row.percent;
        EXPECT_EQ(decide(policy, question).empty(), row.goes) << row.percent;
    }
}

TEST_F(Decide, ARolloutSaysWhenItIsOurTurn) {
    Question question = ask(Step::Stage);
    const double share = share_of("m", "sha256:aa");
    question.release.rollout = {kNow, 100h, {}};
    const auto blockers = decide(apply(), question);
    ASSERT_EQ(reasons(blockers), std::vector{Reason::Rollout});
    const auto wait = std::chrono::duration<double>(*blockers.front().until - kNow);
    EXPECT_NEAR(wait.count(), share * 360'000, 1);
    question.now = *blockers.front().until;
    EXPECT_TRUE(decide(apply(), question).empty());
}

TEST_F(Decide, FailuresHoldTheNextTryAndAClockThatWentBackDoesNotExtendThat) {
    Question question = ask(Step::Check);
    question.failures = {1, kNow - 15min};
    EXPECT_TRUE(decide(apply(), question).empty());
    question.failures = {1, kNow + 1000h};
    const auto blockers = decide(apply(), question);
    ASSERT_EQ(reasons(blockers), std::vector{Reason::BackOff});
    EXPECT_LE(*blockers.front().until, kNow + 15min);
}

TEST_F(Decide, AllReasonsAreNamedAndTheEarliestTimeIsWhenToAskAgain) {
    PolicySettings policy = apply();
    policy.windows = {*settings::parse_window("14:00-15:00")};
    Question question = ask(Step::Stage);
    question.conditions.metered = true;
    question.conditions.on_battery = true;
    question.conditions.battery_percent = 5;
    question.failures = {1, kNow};
    const auto blockers = decide(policy, question);
    EXPECT_EQ(
        reasons(blockers),
        (std::vector{Reason::OnBattery, Reason::Metered, Reason::OutsideWindow, Reason::BackOff}));
    EXPECT_EQ(blockers.front().text,
              "on battery with 5 percent; at least 40 are needed. It goes on all the same after "
              "Sun 2026-12-20 11:00");
    EXPECT_LE(*ask_again(blockers), kNow + 15min);
    EXPECT_FALSE(ask_again({}));
    EXPECT_FALSE(ask_again({{Reason::Level, "x", {}}}));
}

TEST_F(Decide, ManyInhibitorsAreCounted) {
    Question question = ask(Step::Reboot);
    question.conditions.blocks_shutdown = {"a", "b", "c", "d", "e"};
    const auto blockers = decide(apply(), question);
    ASSERT_EQ(blockers.size(), 1U);
    EXPECT_EQ(blockers.front().text,
              "a program keeps the machine from shutting down: a; b; c and 2 more");
}

}  // namespace
}  // namespace cfs::policy
