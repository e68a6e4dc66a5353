// SPDX-License-Identifier: Apache-2.0
// A new version's trial: proven, or failed, fallen back from and held.
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "site.hpp"
#include "up_for.hpp"
#include "update/health.hpp"
#include "update/state_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::error_name;
using test::Site;
using test::UpFor;
using update::DeploymentState;
using update::mark_good;
using update::note_failed_boot;
using update::UpdateOutcome;

/// Version 1 is proven, version 2 runs on trial.
class Trial : public testing::Test {
 protected:
    void SetUp() override {
        site_.install();
        site_.update("v2");
        entry_ = site_.reboot();
        ASSERT_TRUE(entry_.starts_with("fixture_2-") && entry_.ends_with("+1-1.efi")) << entry_;
    }

    update::Status status() { return site_.engine().status(); }

    [[nodiscard]] update::StateDir state() const {
        return {open_root(site_.settings.sysroot).get(), false};
    }

    /// Until version 1 runs again.
    void fall_back() {
        while (site_.reboot().starts_with("fixture_2-")) {
        }
        ASSERT_EQ(status().booted->version, "1");
    }

    /// A plain update to the configured image.
    UpdateOutcome update_to(const std::string& tag, std::chrono::minutes up) {
        site_.settings.image = Site::image(tag);
        const UpFor clock(up);
        return update::make_engine(site_.settings, clock)->update({}, site_.progress, {}).outcome;
    }

    Site site_;
    std::string entry_;
};

TEST_F(Trial, EndsWellWhenMarkedGood) {
    EXPECT_FALSE(status().booted->proven);
    EXPECT_TRUE(status().rollback->proven);
    EXPECT_EQ(mark_good(site_.settings).version, "2");
    EXPECT_TRUE(status().booted->proven);
    // Nobody else had dropped the counter.
    EXPECT_EQ(status().booted->uki.find('+'), std::string::npos);
    EXPECT_EQ(mark_good(site_.settings).version, "2");
}

TEST_F(Trial, TheRecordOutlivesTheCounter) {
    mark_good(site_.settings);
    const auto booted = *status().booted;
    fs::rename(site_.dir / ("esp/EFI/Linux/" + booted.uki),
               site_.dir / ("esp/EFI/Linux/" + entry_));
    EXPECT_TRUE(status().booted->proven);
    EXPECT_EQ(note_failed_boot(site_.settings).stays, "this version is proven");
}

TEST_F(Trial, ACounterThatSomebodyDroppedProvesToo) {
    site_.bless();
    EXPECT_TRUE(status().booted->proven);
    site_.engine().reconcile();
    EXPECT_TRUE(state().deployments()[0].proven);
}

TEST_F(Trial, AFailedBootStartsAgainAndSaysWhyAfterwards) {
    const auto failed = note_failed_boot(site_.settings, "db.sh ended with 1");
    EXPECT_EQ(failed.stays, "");
    EXPECT_EQ(failed.version, "2");
    EXPECT_EQ(state().boot_failure()->reboots, 1U);
    fall_back();
    const auto now = status();
    ASSERT_TRUE(now.fallback);
    EXPECT_EQ(now.fallback->version, "2");
    EXPECT_EQ(now.fallback->reason, "db.sh ended with 1");
    EXPECT_EQ(now.deployments.at(0).state, DeploymentState::Failed);
    EXPECT_EQ(update_to("v2", 20min), UpdateOutcome::NothingToDo);
    EXPECT_NE(site_.progress.messages.back().find("is held (failed)"), std::string::npos);
}

TEST_F(Trial, AFallbackIsOverOnceSomethingNewerRuns) {
    fall_back();
    EXPECT_EQ(update_to("v3", 20min), UpdateOutcome::Finalized);
    EXPECT_TRUE(status().fallback);
    site_.reboot();
    EXPECT_EQ(status().booted->version, "3");
    EXPECT_FALSE(status().fallback);
    mark_good(site_.settings);
    EXPECT_FALSE(state().fallback());
}

TEST_F(Trial, AFallbackIsToldAfterTheFailedOneWasCollected) {
    fall_back();
    (void)site_.engine().collect(false, site_.progress, {});
    EXPECT_EQ(status().deployments.size(), 1U);
    EXPECT_EQ(status().fallback->version, "2");
}

TEST_F(Trial, ASilentFailureIsCalledThat) {
    fall_back();
    EXPECT_NE(status().fallback->reason.find("hung, panicked or lost power"), std::string::npos);
}

TEST_F(Trial, TheInitrdsReasonIsTold) {
    const std::string message =
        "the boot of '" + entry_ + "' failed in its initrd: the image is gone";
    const Error error(ErrorCode::NotFound, message);
    site_.engine().remember_error(&error);
    fall_back();
    EXPECT_EQ(status().fallback->reason, message);
}

TEST_F(Trial, AnErrorAboutAnotherEntryIsNoReason) {
    const Error error(ErrorCode::NotFound,
                      "the boot of 'fixture_2-999999-00000000+1-1.efi' failed in its initrd");
    site_.engine().remember_error(&error);
    fall_back();
    EXPECT_EQ(status().fallback->reason.find("999999"), std::string::npos);
}

TEST_F(Trial, TheReasonIsWhatTheChecksFound) {
    site_.dir.write("run/health.json", R"({"failed":"'db.sh' ended with 1: no disk"})");
    const UpFor early(2min);
    EXPECT_EQ(note_failed_boot(site_.settings, "", early).reason,
              "its health checks failed: 'db.sh' ended with 1: no disk");
}

TEST_F(Trial, WithoutChecksTheReasonIsTheTarget) {
    EXPECT_EQ(note_failed_boot(site_.settings, "", UpFor(2min)).reason,
              "boot-complete.target was not reached: another unit that it needs failed");
    EXPECT_EQ(note_failed_boot(site_.settings, "", UpFor(15min)).reason,
              "boot-complete.target was not reached within 15min");
}

TEST_F(Trial, TheMachineStaysWhereStartingAgainLeadsNowhere) {
    const auto stays = [&] { return note_failed_boot(site_.settings, "x").stays; };
    EXPECT_EQ(stays(), "");
    site_.settings.health.reboot = false;
    EXPECT_EQ(stays(), "'health.reboot' is off");
    site_.settings.health.reboot = true;
    state().hold(*Digest::from_hex(status().rollback->digest), "rolled-back");
    EXPECT_EQ(stays(), "there is no proven version to fall back to");
    fs::remove(site_.dir / "sysroot/state/cfsupdated/held.json");
    const std::string first = site_.dir / ("esp/EFI/Linux/" + status().rollback->uki);
    fs::rename(first, site_.dir / "first");
    EXPECT_EQ(stays(), "there is no proven version to fall back to");
    fs::rename(site_.dir / "first", first);
    fs::rename(site_.dir / "efivars", site_.dir / "other");
    EXPECT_EQ(stays(), "the boot loader does not count the tries of this entry");
    fs::rename(site_.dir / "other", site_.dir / "efivars");
    EXPECT_EQ(stays(), "");
}

TEST_F(Trial, TheMachineNeverStartsAgainForEver) {
    for (unsigned i = 0; i < 9; ++i)
        EXPECT_EQ(note_failed_boot(site_.settings, "x").stays, "") << i;
    EXPECT_EQ(note_failed_boot(site_.settings, "x").stays, "it was started again 9 times already");
    // Of this one: what failed before has no part in it.
    auto failure = *state().boot_failure();
    failure.stem = "another";
    state().set_boot_failure(failure);
    EXPECT_EQ(note_failed_boot(site_.settings, "x").stays, "");
}

TEST_F(Trial, AFirstInstallationStays) {
    fall_back();
    EXPECT_EQ(note_failed_boot(site_.settings, "x").stays, "this version is proven");
}

TEST_F(Trial, ASecondTryThatPassesForgetsTheFirst) {
    (void)note_failed_boot(site_.settings, "too early");
    EXPECT_TRUE(site_.reboot().ends_with("+0-2.efi"));
    EXPECT_EQ(mark_good(site_.settings).version, "2");
    EXPECT_FALSE(state().boot_failure());
    EXPECT_FALSE(status().fallback);
}

TEST_F(Trial, AnUpdateWaitsForItsEnd) {
    std::string text;
    EXPECT_EQ(error_name([&] { (void)update_to("v3", 2min); }, &text), "SlotNotProven");
    EXPECT_NE(text.find("15min after the boot"), std::string::npos) << text;
    EXPECT_EQ(update_to("v2", 2min), UpdateOutcome::NothingToDo);
    EXPECT_EQ(update_to("v3", 15min), UpdateOutcome::Finalized);
}

TEST_F(Trial, AnUpdateIsFreeOnceItEnded) {
    mark_good(site_.settings);
    EXPECT_EQ(update_to("v3", 2min), UpdateOutcome::Finalized);
}

TEST_F(Trial, WhoNamesAnImageDoesNotWait) {
    const UpFor clock(2min);
    update::UpdateOptions options;
    options.image = Site::image("v3");
    EXPECT_EQ(
        update::make_engine(site_.settings, clock)->update(options, site_.progress, {}).outcome,
        UpdateOutcome::Finalized);
}

TEST_F(Trial, OfTwoUkisOverOneImageTheLoadersCounts) {
    mark_good(site_.settings);
    site_.update("v2-rebuilt");
    const std::string entry = site_.reboot();
    EXPECT_TRUE(entry.ends_with("+1-1.efi")) << entry;
    EXPECT_EQ(status().booted->uki, entry);
    EXPECT_FALSE(status().booted->proven);
    EXPECT_EQ(note_failed_boot(site_.settings, "x").stays, "");
}

TEST_F(Trial, AUkiOverTheImageThatRunsIsHeldAlone) {
    mark_good(site_.settings);
    site_.update("v2-rebuilt");
    const std::string first = site_.reboot();
    (void)note_failed_boot(site_.settings, "no modules");
    std::string entry = site_.reboot();
    EXPECT_EQ(entry.substr(0, entry.find('+')), first.substr(0, first.find('+')));
    entry = site_.reboot();
    EXPECT_EQ(entry.find('+'), std::string::npos) << entry;
    EXPECT_EQ(status().fallback->reason, "no modules");
    EXPECT_EQ(status().deployments.at(0).state, DeploymentState::Failed);
    EXPECT_EQ(status().booted->state, DeploymentState::Booted);
    EXPECT_EQ(update_to("v2-rebuilt", 20min), UpdateOutcome::NothingToDo);
    EXPECT_NE(site_.progress.messages.back().find("is held (failed)"), std::string::npos);
    // The image that runs is not: its own UKI may come again, and so may another over it.
    (void)site_.update("v3");
    EXPECT_EQ(site_.engine().rollback(site_.progress, {}).uki, entry);
}

}  // namespace
}  // namespace cfs
