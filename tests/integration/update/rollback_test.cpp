// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "site.hpp"
#include "update/state_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace cfs {
namespace {

using test::error_name;
using test::Site;
using update::DeploymentState;
using update::UpdateOutcome;

TEST(Rollback, BeforeTheRebootKeepsWhatRuns) {
    Site site;
    site.install();
    site.update("v2");
    EXPECT_EQ(site.engine().rollback(site.progress, {}).version, "1");
    const auto status = site.engine().status();
    EXPECT_FALSE(status.reboot_pending);
    EXPECT_TRUE(status.booted->next);
    EXPECT_FALSE(status.staged);
    EXPECT_EQ(status.deployments.at(0).state, DeploymentState::RolledBack);
    site.reboot();
    EXPECT_EQ(site.engine().status().booted->version, "1");
}

TEST(Rollback, AfterTheRebootGoesBack) {
    Site site;
    site.install();
    site.update("v2");
    site.reboot();
    site.bless();
    EXPECT_EQ(site.engine().rollback(site.progress, {}).version, "1");
    EXPECT_TRUE(site.engine().status().reboot_pending);
    site.reboot();
    const auto status = site.engine().status();
    EXPECT_EQ(status.booted->version, "1");
    EXPECT_FALSE(status.reboot_pending);
}

/// Version 2 ran, was left by hand, and each version's /etc says where it was written.
class RolledBack : public testing::Test {
 protected:
    RolledBack() {
        site_.install();
        site_.update("v2");
        site_.reboot();
        site_.bless();
        site_.engine().reconcile();
        write("left in 2");
        (void)site_.engine().rollback(site_.progress, {});
        site_.reboot();
        write("left in 1");
    }

    void write(const std::string& text) {
        std::ofstream(site_.etc(*site_.engine().status().booted) + "/slot") << text;
    }

    [[nodiscard]] std::string slot() {
        std::ifstream in(site_.etc(*site_.engine().status().booted) + "/slot");
        return {std::istreambuf_iterator<char>(in), {}};
    }

    Site site_;
};

TEST_F(RolledBack, ASecondRollbackGoesForwardToTheSameEtc) {
    ASSERT_TRUE(site_.engine().status().rollback);
    EXPECT_EQ(site_.engine().status().rollback->version, "2");
    EXPECT_EQ(site_.engine().rollback(site_.progress, {}).version, "2");
    EXPECT_TRUE(site_.engine().status().reboot_pending);
    site_.reboot();
    site_.bless();
    EXPECT_EQ(site_.engine().status().booted->version, "2");
    EXPECT_EQ(slot(), "left in 2");
    EXPECT_EQ(site_.engine().status().rollback->version, "1");
    (void)site_.engine().rollback(site_.progress, {});
    site_.reboot();
    EXPECT_EQ(slot(), "left in 1");
}

TEST_F(RolledBack, GoingForwardCanBeTakenBack) {
    (void)site_.engine().rollback(site_.progress, {});
    EXPECT_EQ(site_.engine().rollback(site_.progress, {}).version, "1");
    EXPECT_FALSE(site_.engine().status().reboot_pending);
    site_.reboot();
    EXPECT_EQ(site_.engine().status().booted->version, "1");
    EXPECT_EQ(slot(), "left in 1");
}

TEST_F(RolledBack, NothingGoesForwardToWhatFailed) {
    const auto left = Digest::from_hex(site_.engine().status().rollback->digest);
    const UniqueFd root = open_root(site_.settings.sysroot);
    update::StateDir(root.get(), false).hold(*left, update::kHeldFailed);
    EXPECT_FALSE(site_.engine().status().rollback);
    EXPECT_EQ(error_name([&] { (void)site_.engine().rollback(site_.progress, {}); }), "NotFound");
}

TEST_F(RolledBack, WhatWasLeftIsCollectedAllTheSame) {
    const std::string left = site_.engine().status().rollback->digest;
    (void)site_.engine().collect(false, site_.progress, {});
    EXPECT_FALSE(site_.engine().status().rollback);
    EXPECT_FALSE(std::filesystem::exists(site_.settings.sysroot + "/state/deploy/" + left));
}

TEST(Rollback, HoldsTheVersionThatItLeft) {
    Site site;
    site.install();
    site.settings.image = Site::image("v2");
    const auto engine = update::make_engine(site.settings);
    (void)engine->update({}, site.progress, {});
    (void)engine->rollback(site.progress, {});
    EXPECT_FALSE(engine->check("", site.progress, {}).update_available);
    EXPECT_EQ(engine->update({}, site.progress, {}).outcome, UpdateOutcome::NothingToDo);
    const auto held = engine->status().held;
    ASSERT_EQ(held.size(), 1U);
    EXPECT_EQ(held[0].version, "2");
    EXPECT_EQ(held[0].reason, "rolled-back");
    EXPECT_EQ(held[0].digest.size(), 128U);
    // Something newer is not held, and an explicit request is obeyed.
    EXPECT_EQ(site.update("v3").outcome, UpdateOutcome::Finalized);
}

TEST(Rollback, ARequestForAHeldVersionThatFailsLeavesItHeld) {
    Site site;
    site.install();
    site.update("v2");
    site.reboot();
    site.bless();
    (void)site.engine().rollback(site.progress, {});
    site.reboot();
    EXPECT_EQ(site.update_to(Site::image("v2"), false).outcome, UpdateOutcome::Staged);
    // Somebody takes its image away before it is finalized.
    const auto status = site.engine().status();
    ASSERT_TRUE(status.staged);
    std::filesystem::remove(site.settings.sysroot + "/composefs/images/" + status.staged->digest);
    EXPECT_EQ(error_name([&] { (void)site.engine().finalize(site.progress, {}); }), "StateCorrupt");
    const auto after = site.engine().status();
    EXPECT_FALSE(after.fallback) << after.fallback->reason;
    EXPECT_FALSE(site.engine().check(Site::image("v2"), site.progress, {}).update_available);
}

TEST(Rollback, AnExplicitRequestInstallsAHeldVersion) {
    Site site;
    site.install();
    site.update("v2");
    (void)site.engine().rollback(site.progress, {});
    const auto result = site.update("v2");
    EXPECT_EQ(result.outcome, UpdateOutcome::Finalized);
    EXPECT_EQ(site.engine().status().staged->version, "2");
    site.reboot();
    EXPECT_EQ(site.engine().status().booted->version, "2");
}

TEST(Rollback, DropsAStageThatWaits) {
    Site site;
    site.install();
    site.update("v2");
    site.reboot();
    (void)site.update_to(Site::image("v3"), false);
    EXPECT_EQ(site.engine().rollback(site.progress, {}).version, "1");
    EXPECT_FALSE(site.engine().status().staged);
}

TEST(Rollback, OfAStageOnAMachineWithNothingElseStaysWithWhatRuns) {
    Site site;
    site.install();
    const auto before = site.entries();
    (void)site.update_to(Site::image("v2"), false);
    EXPECT_EQ(site.engine().rollback(site.progress, {}).version, "1");
    const auto status = site.engine().status();
    EXPECT_FALSE(status.staged);
    EXPECT_FALSE(status.reboot_pending);
    EXPECT_EQ(site.entries(), before);
    EXPECT_EQ(status.history.at(0).kind, "rollback");
    EXPECT_EQ(status.history.at(0).result, "done");
}

TEST(Rollback, WithNowhereToGoSaysSo) {
    Site site;
    site.install();
    const std::string before = site.snapshot();
    EXPECT_EQ(error_name([&] { (void)site.engine().rollback(site.progress, {}); }), "NotFound");
    EXPECT_EQ(site.snapshot(), before);
}

}  // namespace
}  // namespace cfs
