// SPDX-License-Identifier: Apache-2.0
// What a clean shutdown does for the deployment that starts next.
#include "update/shutdown.hpp"

#include "site.hpp"
#include "store/repository.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs {
namespace {

using test::error_name;
using test::Site;
using update::ShutdownOutcome;

std::string state_of(const update::DeploymentInfo& deployment) {
    return "sysroot/state/deploy/" + deployment.digest + "/";
}

std::string etc_of(const update::DeploymentInfo& deployment) {
    return state_of(deployment) + "etc/";
}

bool exists(const Site& site, const std::string& path) {
    return std::filesystem::exists(site.dir / path);
}

TEST(Shutdown, WhatChangedSinceTheUpdateIsInTheNewVersion) {
    Site site;
    const auto old = site.install().deployment;
    site.dir.write(etc_of(old) + "early.conf", "before the update\n");
    const auto next = site.update("v2").deployment;
    const auto entries = site.entries();
    site.dir.write(etc_of(old) + "late.conf", "after the update\n");
    std::filesystem::remove(site.dir / (etc_of(old) + "early.conf"));
    const auto done = update::finalize_at_shutdown(site.settings);
    EXPECT_EQ(done.outcome, ShutdownOutcome::Merged);
    EXPECT_EQ(done.version, "2");
    EXPECT_EQ(site.dir.read(etc_of(next) + "late.conf"), "after the update\n");
    EXPECT_FALSE(exists(site, etc_of(next) + "early.conf"));
    EXPECT_EQ(site.dir.read(etc_of(next) + "version.conf"), "vendor version 2\n");
    EXPECT_EQ(site.entries(), entries);
    EXPECT_FALSE(exists(site, state_of(next) + "etc.next"));
    EXPECT_FALSE(exists(site, state_of(next) + "etc.prev"));
    const std::string listing = test::tree_listing(site.etc(next));
    EXPECT_EQ(update::finalize_at_shutdown(site.settings).outcome, ShutdownOutcome::Merged);
    EXPECT_EQ(test::tree_listing(site.etc(next)), listing);
}

TEST(Shutdown, ArmsWhatIsStaged) {
    Site site;
    const auto old = site.install().deployment;
    (void)site.update_to(Site::image("v2"), false);
    EXPECT_TRUE(site.engine().status().reboot_pending);
    site.dir.write(etc_of(old) + "late.conf", "after staging\n");
    const auto done = update::finalize_at_shutdown(site.settings);
    EXPECT_EQ(done.outcome, ShutdownOutcome::Armed);
    (void)site.reboot();
    const auto booted = site.engine().status().booted.value();
    EXPECT_EQ(booted.version, "2");
    EXPECT_EQ(site.dir.read(etc_of(booted) + "late.conf"), "after staging\n");
}

/// Version 2, by root. \returns what it was asked for with
update::UpdateOptions stage_locked(Site& site) {
    update::UpdateOptions options;
    options.image = Site::image("v2");
    options.finalize = false;
    options.locked = true;
    (void)site.engine().update(options, site.progress, {});
    return options;
}

TEST(Shutdown, LeavesWhatIsLocked) {
    Site site;
    (void)site.install();
    update::UpdateOptions options = stage_locked(site);
    EXPECT_TRUE(site.engine().status().staged.value().locked);
    EXPECT_FALSE(site.engine().status().reboot_pending);
    EXPECT_EQ(update::finalize_at_shutdown(site.settings).outcome, ShutdownOutcome::Locked);
    (void)site.reboot();
    EXPECT_EQ(site.engine().status().booted.value().version, "1");

    // Staged once more without a lock.
    options.locked = false;
    (void)site.engine().update(options, site.progress, {});
    EXPECT_FALSE(site.engine().status().staged.value().locked);
    EXPECT_EQ(update::finalize_at_shutdown(site.settings).outcome, ShutdownOutcome::Armed);
}

/// Everybody who sits at the machine may update it; to lock is an administrator's.
TEST(Shutdown, AUsersUpdateLeavesWhatIsLocked) {
    Site site;
    (void)site.install();
    update::UpdateOptions options = stage_locked(site);
    site.progress.who = {"user", 1000};
    options.locked = false;
    for (const bool finalize : {false, true}) {
        options.finalize = finalize;
        EXPECT_EQ(site.engine().update(options, site.progress, {}).outcome,
                  update::UpdateOutcome::NothingToDo);
        EXPECT_NE(site.progress.messages.back().find("'cfsctl finalize'"), std::string::npos);
        EXPECT_TRUE(site.engine().status().staged.value().locked);
        EXPECT_EQ(update::finalize_at_shutdown(site.settings).outcome, ShutdownOutcome::Locked);
    }
    site.progress.who = {"root", 0};
    EXPECT_EQ(site.engine().update(options, site.progress, {}).outcome,
              update::UpdateOutcome::Finalized);
}

/// A policy that only fetches keeps nothing from whoever may update; but what an administrator
/// locked stays locked, whatever a policy fetches.
TEST(Shutdown, AUsersUpdateTakesWhatThePolicyFetched) {
    Site site;
    (void)site.install();
    update::UpdateOptions options;
    options.image = Site::image("v2");
    options.finalize = false;
    options.locked = options.for_anyone = true;
    (void)site.engine().update(options, site.progress, {});
    EXPECT_TRUE(site.engine().status().staged.value().for_anyone);
    EXPECT_EQ(update::finalize_at_shutdown(site.settings).outcome, ShutdownOutcome::Locked);
    update::UpdateOptions wanted;
    wanted.image = options.image;
    site.progress.who = {"user", 1000};
    EXPECT_EQ(site.engine().update(wanted, site.progress, {}).outcome,
              update::UpdateOutcome::Finalized);
}

TEST(Shutdown, NoPolicyWeakensWhatIsLocked) {
    Site site;
    (void)site.install();
    update::UpdateOptions options = stage_locked(site);
    options.for_anyone = true;
    (void)site.engine().update(options, site.progress, {});
    EXPECT_FALSE(site.engine().status().staged.value().for_anyone);
    // The other way round an administrator's word counts.
    options.locked = false;
    (void)site.engine().update(options, site.progress, {});
    options.locked = true;
    (void)site.engine().update(options, site.progress, {});
    EXPECT_TRUE(site.engine().status().staged.value().for_anyone);
    options.for_anyone = false;
    (void)site.engine().update(options, site.progress, {});
    const auto staged = site.engine().status().staged.value();
    EXPECT_TRUE(staged.locked);
    EXPECT_FALSE(staged.for_anyone);
}

TEST(Shutdown, WithoutAnythingToDoNeedsNoEsp) {
    Site site;
    (void)site.install();
    (void)site.reboot();
    site.bless();
    (void)site.engine().reconcile();
    site.settings.esp += "-is-not-mounted";
    EXPECT_EQ(update::finalize_at_shutdown(site.settings).outcome, ShutdownOutcome::Nothing);
    EXPECT_FALSE(update::last_finalize_failure(site.settings));
}

/// Version 2 ran and has an /etc of its own; 1 runs after a rollback, and 2 is armed again.
class AgainAfterARollback : public testing::Test {
 protected:
    AgainAfterARollback() {
        (void)site.install();
        (void)site.update("v2");
        (void)site.reboot();
        site.bless();
        second = site.engine().status().booted.value();
        site.dir.write(etc_of(second) + "of-second.conf", "written while 2 ran\n");
        own = test::tree_listing(site.etc(second));
        (void)site.engine().rollback(site.progress, {});
        (void)site.reboot();
        first = site.engine().status().booted.value();
        EXPECT_EQ(first.version, "1");
        second = site.update("v2").deployment;
    }

    [[nodiscard]] std::string previous() const { return state_of(second) + "etc.prev"; }

    Site site;
    update::DeploymentInfo first, second;
    std::string own;
};

TEST_F(AgainAfterARollback, TheSlotsOwnEtcIsKeptByEachMerge) {
    for (const char* late : {"one.conf", "two.conf"}) {
        site.dir.write(etc_of(first) + late, "late\n");
        EXPECT_EQ(update::finalize_at_shutdown(site.settings).outcome, ShutdownOutcome::Merged);
        EXPECT_TRUE(exists(site, etc_of(second) + late));
        EXPECT_EQ(test::tree_listing(site.dir / previous()), own);
    }
    EXPECT_FALSE(exists(site, state_of(second) + "etc.next"));
    for (const auto& entry : std::filesystem::directory_iterator(site.dir / state_of(second)))
        EXPECT_FALSE(entry.path().filename().string().starts_with("etc.prev.")) << entry.path();
}

TEST_F(AgainAfterARollback, AFailureGivesItBack) {
    site.settings.etc.on_conflict = settings::OnConflict::Stop;
    site.dir.write(etc_of(first) + "conf.d/two/mine", "the image has a file there\n");
    EXPECT_EQ(error_name([&] { (void)update::finalize_at_shutdown(site.settings); }),
              "MergeConflict");
    EXPECT_EQ(test::tree_listing(site.etc(second)), own);
    EXPECT_FALSE(exists(site, previous()));
    EXPECT_FALSE(exists(site, state_of(second) + "etc.next"));
}

TEST(Shutdown, AFailureLeavesTheOldVersionAndIsTold) {
    Site site;
    const auto old = site.install().deployment;
    const auto before = site.entries();
    site.settings.etc.on_conflict = settings::OnConflict::Stop;
    const auto next = site.update("v2-conflict").deployment;
    site.dir.write(etc_of(old) + "local.conf", "mine\n");
    EXPECT_EQ(error_name([&] { (void)update::finalize_at_shutdown(site.settings); }),
              "MergeConflict");
    EXPECT_EQ(site.entries(), before);
    EXPECT_FALSE(exists(site, state_of(next)));
    const auto failure = update::last_finalize_failure(site.settings);
    ASSERT_TRUE(failure);
    EXPECT_NE(failure->message.find("local.conf"), std::string::npos) << failure->message;
    EXPECT_FALSE(failure->hint.empty());

    (void)site.reboot();
    const auto status = site.engine().status();
    EXPECT_EQ(status.booted.value().version, "1");
    EXPECT_EQ(status.last_error.value().name, "MergeConflict");
    ASSERT_FALSE(status.warnings.empty());
    EXPECT_EQ(status.warnings[0], update::describe_finalize_failure(*failure));

    (void)site.update("v2");
    EXPECT_FALSE(update::last_finalize_failure(site.settings));
    EXPECT_TRUE(site.engine().status().warnings.empty());
}

/// The hold cannot be written, and the version goes all the same: nothing stops the next verbs.
TEST_F(AgainAfterARollback, AFailureIsNotStoppedByDamagedHolds) {
    site.settings.etc.on_conflict = settings::OnConflict::Stop;
    site.dir.write(etc_of(first) + "conf.d/two/mine", "the image has a file there\n");
    site.dir.write("sysroot/state/cfsupdated/held.json", "garbage");
    EXPECT_EQ(error_name([&] { (void)update::finalize_at_shutdown(site.settings); }),
              "MergeConflict");
    EXPECT_EQ(test::tree_listing(site.etc(second)), own);
    EXPECT_FALSE(site.engine().status().staged);
    site.engine().reconcile();
}

TEST(Shutdown, AStoreThatStaysLockedIsAFailureToo) {
    Site site;
    (void)site.install();
    const auto before = site.entries();
    (void)site.update("v2");
    const auto store =
        store::Repository::open(site.settings.sysroot + "/composefs", store::VerityPolicy::Try);
    const auto collecting = store->try_lock_exclusive(std::chrono::milliseconds(0));
    site.settings.store.lock_timeout = std::chrono::milliseconds(0);
    const auto finalize = [&] {
        (void)update::finalize_at_shutdown(
            site.settings, system_clock(), std::chrono::milliseconds(50));
    };
    EXPECT_EQ(error_name(finalize), "Busy");
    EXPECT_EQ(site.entries(), before);
    EXPECT_TRUE(update::last_finalize_failure(site.settings));
}

TEST(Shutdown, LeavesWhatARollbackGaveUp) {
    Site site;
    const auto old = site.install().deployment;
    const auto next = site.update("v2").deployment;
    (void)site.engine().rollback(site.progress, {});
    site.dir.write(etc_of(old) + "late.conf", "after the rollback\n");
    EXPECT_EQ(update::finalize_at_shutdown(site.settings).outcome, ShutdownOutcome::Nothing);
    EXPECT_FALSE(exists(site, etc_of(next) + "late.conf"));
}

}  // namespace
}  // namespace cfs
