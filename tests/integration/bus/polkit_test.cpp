// SPDX-License-Identifier: Apache-2.0
// How the service asks polkit, for whom, and what it makes of the answers; with the real polkitd.
#include "bus_client.hpp"
#include "fake_agent.hpp"
#include "polkit_site.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace cfs::test {
namespace {

constexpr const char* kNeedsPassword =
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired";
constexpr const char* kDenied = "org.freedesktop.DBus.Error.AccessDenied";

#define EXPECT_STARTS(text, start) EXPECT_EQ((text).substr(0, std::string(start).size()), start)
#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

class BusPolkit : public testing::Test {
 protected:
    void SetUp() override {
        const std::string missing = PolkitSite::missing();
        if (!missing.empty()) GTEST_SKIP() << missing;
    }
};

TEST_F(BusPolkit, WithoutItOnlyRootMay) {
    PolkitSite site;
    Caller& active = site.add(kActive);
    const std::string refusal = active.call("Check");
    EXPECT_STARTS(refusal, kDenied);
    EXPECT_HAS(refusal, "only root may do this (org.cfsupdate1.check): there is no polkit");
    EXPECT_HAS(refusal, "Hint: Run the command as root, e.g. with sudo, or install polkit.");
    EXPECT_STARTS(site.add(kRoot).call("Check"), "ok /org/cfsupdate1/job/");
}

TEST_F(BusPolkit, IsNotAskedWhereItIsNotToBe) {
    service::CallerCheck::Config config;
    config.polkit = false;
    PolkitSite site(true, config);
    Caller& active = site.add(kActive);
    site.start_polkit();
    const std::string refusal = active.call("Check");
    EXPECT_STARTS(refusal, kDenied);
    EXPECT_HAS(refusal, "only root may do this on this bus; the caller has user id 1");
}

TEST_F(BusPolkit, ARuleOfTheAdministratorSeesTheOptions) {
    PolkitSite site;
    Caller& absent = site.add(kAbsent);
    site.start_polkit(
        "polkit.addRule(function(action, subject) {"
        " if (action.id == 'org.cfsupdate1.update-image' &&"
        "     action.lookup('image') == 'oci:/good') return polkit.Result.YES;"
        " if (action.id == 'org.cfsupdate1.rollback') return polkit.Result.NO; });");
    EXPECT_STARTS(absent.call("Update", "image=s:oci:/good"), "ok ");
    EXPECT_STARTS(absent.call("Update", "image=s:oci:/bad"), kNeedsPassword);
    const std::string forbidden = absent.call("Rollback", "", true);
    EXPECT_STARTS(forbidden, kDenied);
    EXPECT_HAS(forbidden, "polkit does not allow it: org.cfsupdate1.rollback");
}

TEST_F(BusPolkit, AsksForAPasswordOnlyWhenTheCallAllowsIt) {
    PolkitSite site;
    Caller& inactive = site.add(kInactive);
    site.start_polkit();
    const auto agent =
        FakeAgent::make(site.service.bus.address(), {inactive.process()}, FakeAgent::Person::Knows);
    EXPECT_STARTS(inactive.call("Update", "image=s:oci:/x:y"), kNeedsPassword);
    EXPECT_STARTS(inactive.call("Update", "image=s:oci:/x:y", true), "ok ");
    const auto dialogs = agent->dialogs(1);
    ASSERT_EQ(dialogs.size(), 1U);
    EXPECT_EQ(dialogs[0].action, "org.cfsupdate1.update-image");
    EXPECT_EQ(dialogs[0].message,
              "Authentication is required to install the system image oci:/x:y.");
    // The reply comes before the job runs.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (site.service.engine.calls().size() < 2 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(site.service.engine.calls().back(), "update image=oci:/x:y finalize=1 digest=");
}

// A caller's text comes into a dialog that somebody trusts.
TEST_F(BusPolkit, WhatItShowsIsShortAndOneLine) {
    PolkitSite site;
    Caller& inactive = site.add(kInactive);
    site.start_polkit();
    const auto agent = FakeAgent::make(
        site.service.bus.address(), {inactive.process()}, FakeAgent::Person::Dismisses);
    const std::string refusal =
        inactive.call("Update", "image=s:a\x1b[2J" + std::string(4000, 'b'), true);
    EXPECT_STARTS(refusal, kDenied);
    const auto dialogs = agent->dialogs(1);
    ASSERT_EQ(dialogs.size(), 1U);
    EXPECT_HAS(dialogs[0].message, "image a?[2Jbbb");
    EXPECT_LT(dialogs[0].message.size(), 300U);
}

TEST_F(BusPolkit, ADismissedDialogAndAMissingAgentAreRefusals) {
    PolkitSite site;
    Caller& inactive = site.add(kInactive);
    site.start_polkit();
    const std::string no_agent = inactive.call("Rollback", "", true);
    EXPECT_STARTS(no_agent, kDenied);
    EXPECT_HAS(no_agent, "needs an administrator's password, and none was given");
    EXPECT_HAS(no_agent, "pkttyagent");
    const auto agent = FakeAgent::make(
        site.service.bus.address(), {inactive.process()}, FakeAgent::Person::Dismisses);
    EXPECT_STARTS(inactive.call("Rollback", "", true), kDenied);
    EXPECT_EQ(site.service.engine.calls(), (std::vector<std::string>{"reconcile"}));
}

TEST_F(BusPolkit, ClosesTheDialogOfACallerThatLeaves) {
    PolkitSite site;
    Caller& inactive = site.add(kInactive);
    site.start_polkit();
    const auto agent = FakeAgent::make(
        site.service.bus.address(), {inactive.process()}, FakeAgent::Person::IsAway);
    inactive.start(std::string(bus::kManagerPath) + " " + bus::kManagerInterface + " Rollback 1");
    ASSERT_EQ(agent->dialogs(1).size(), 1U);
    inactive.kill();
    EXPECT_TRUE(agent->wait_closed(1));
    EXPECT_EQ(site.service.engine.calls(), (std::vector<std::string>{"reconcile"}));
}

TEST_F(BusPolkit, ADialogThatNobodyAnswersEnds) {
    service::CallerCheck::Config config;
    config.timing.person = std::chrono::milliseconds(300);
    PolkitSite site(true, config);
    Caller& inactive = site.add(kInactive);
    site.start_polkit();
    const auto agent = FakeAgent::make(
        site.service.bus.address(), {inactive.process()}, FakeAgent::Person::IsAway);
    const std::string refusal = inactive.call("Rollback", "", true);
    EXPECT_STARTS(refusal, kDenied);
    EXPECT_HAS(refusal, "polkit gave no answer about org.cfsupdate1.rollback in time");
    EXPECT_TRUE(agent->wait_closed(1));
}

TEST_F(BusPolkit, KeepsSoManyDialogsOfAUserOpenAndServesOthersMeanwhile) {
    service::CallerCheck::Config config;
    config.limits.per_user = 2;
    PolkitSite site(true, config);
    const std::vector<Caller*> waiting{&site.add(kInactive), &site.add(kInactive)};
    Caller& third = site.add(kInactive);
    Caller& active = site.add(kActive);
    Caller& root = site.add(kRoot);
    site.start_polkit();
    const auto agent = FakeAgent::make(site.service.bus.address(),
                                       {waiting[0]->process(), waiting[1]->process()},
                                       FakeAgent::Person::IsAway);
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        waiting[i]->start(std::string(bus::kManagerPath) + " " + bus::kManagerInterface +
                          " Rollback 1");
        ASSERT_EQ(agent->dialogs(i + 1).size(), i + 1);
    }
    const std::string refusal = third.call("Rollback", "", true);
    EXPECT_STARTS(refusal, "org.cfsupdate1.Error.Busy");
    EXPECT_HAS(refusal, "too many calls of user id 2 wait for an authorisation");
    EXPECT_STARTS(active.call("Check"), "ok ");
    EXPECT_STARTS(root.call("Check"), "ok ");
}

TEST_F(BusPolkit, AFloodIsAnsweredInFullAndHoldsNobodyUp) {
    PolkitSite site;
    Caller& absent = site.add(kAbsent);
    Caller& root = site.add(kRoot);
    site.start_polkit();
    absent.start("flood 300");
    const auto start = std::chrono::steady_clock::now();
    EXPECT_STARTS(root.call("Check"), "ok ");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    const std::string counts = absent.answer();
    EXPECT_STARTS(counts, "300 ");
    EXPECT_GT(std::stoi(counts.substr(4)), 0) << "all of them were put before polkit";
    EXPECT_EQ(site.service.engine.calls(), (std::vector<std::string>{"reconcile", "check image="}));
}

// Two questions: the image, and that it is not left for the shutdown as the settings say.
TEST_F(BusPolkit, EveryActionOfARequestIsAskedFor) {
    PolkitSite site(false);
    Caller& absent = site.add(kAbsent);
    site.start_polkit(
        "polkit.addRule(function(action, subject) {"
        " if (action.id == 'org.cfsupdate1.update-image') return polkit.Result.YES;"
        "});");
    EXPECT_STARTS(absent.call("Update", "image=s:x"), "ok ");
    const std::string refusal = absent.call("Update", "image=s:x finalize=b:1");
    EXPECT_STARTS(refusal, kNeedsPassword);
    EXPECT_HAS(refusal, "org.cfsupdate1.finalize needs an administrator's password");
}

}  // namespace
}  // namespace cfs::test
