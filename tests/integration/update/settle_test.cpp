// SPDX-License-Identifier: Apache-2.0
// What a start makes of records, entries and state directories that do not go together.
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "site.hpp"
#include "update/machine.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs {
namespace {

namespace fs = std::filesystem;
using test::error_name;
using test::Site;
using update::Phase;

/// The newest record, changed and saved by `change`.
template <typename F>
void change_record(const Site& site, const std::string& version, F&& change) {
    const UniqueFd root = open_root(site.settings.sysroot);
    const update::StateDir state(root.get(), false);
    for (auto record : state.deployments()) {
        if (record.version != version) continue;
        change(record);
        state.save(record);
        return;
    }
    FAIL() << "no record of version " << version;
}

void set_phase(const Site& site, const std::string& version, Phase phase) {
    change_record(site, version, [phase](auto& record) { record.phase = phase; });
}

std::uint64_t floor_of(const Site& site) {
    const UniqueFd root = open_root(site.settings.sysroot);
    return update::StateDir(root.get(), false).floor();
}

std::string entry_of(const Site& site, const std::string& version) {
    for (const std::string& file : site.entries()) {
        if (file.starts_with("fixture_" + version + "-")) return file;
    }
    return "";
}

void run_second(Site& site) {
    site.install();
    site.update("v2");
    site.reboot();
}

TEST(Settle, WhatRunsIsNotRemovedWhateverItsRecordSays) {
    for (const Phase phase : {Phase::Removing, Phase::Finalizing}) {
        Site site;
        run_second(site);
        const auto booted = *site.engine().status().booted;
        set_phase(site, "2", phase);
        site.engine().reconcile();
        EXPECT_NE(entry_of(site, "2"), "");
        EXPECT_TRUE(fs::exists(site.etc(booted) + "/version.conf"));
        EXPECT_EQ(site.engine().status().booted->version, "2");
    }
}

TEST(Settle, AnEspWithoutAnyOwnEntryDecidesNothing) {
    Site site;
    run_second(site);
    const auto booted = *site.engine().status().booted;
    set_phase(site, "2", Phase::Finalizing);
    fs::rename(site.dir / "esp", site.dir / "the-real-esp");
    fs::create_directory(site.dir / "esp");
    std::string text;
    EXPECT_EQ(error_name([&] { (void)site.engine().collect(false, site.progress, {}); }, &text),
              "StateCorrupt");
    EXPECT_NE(text.find("mount the EFI system partition"), std::string::npos) << text;
    EXPECT_EQ(error_name([&] { (void)site.update("v3"); }), "StateCorrupt");
    EXPECT_TRUE(fs::is_empty(site.dir / "esp"));
    EXPECT_TRUE(fs::exists(site.etc(booted) + "/version.conf"));
    (void)site.engine().status();
    fs::remove_all(site.dir / "esp");
    fs::rename(site.dir / "the-real-esp", site.dir / "esp");
    EXPECT_EQ(site.engine().collect(false, site.progress, {}).deployments.size(), 0U);
}

TEST(Settle, AnArmedEntryWithOtherBytesIsUndone) {
    Site site;
    site.install();
    site.update("v2");
    set_phase(site, "2", Phase::Finalizing);
    const std::string entry = entry_of(site, "2");
    site.dir.write("esp/EFI/Linux/" + entry, "");
    site.engine().reconcile();
    EXPECT_EQ(entry_of(site, "2"), "");
    EXPECT_EQ(site.engine().status().deployments.size(), 1U);
    EXPECT_EQ(site.update("v2").outcome, update::UpdateOutcome::Finalized);
}

TEST(Settle, AVersionThatDidNotComeUpIsHeld) {
    Site site;
    site.install();
    site.settings.image = Site::image("v2");
    site.update("v2");
    while (site.reboot().starts_with("fixture_2-")) {
    }
    EXPECT_EQ(site.engine().status().booted->version, "1");
    update::UpdateOptions automatic;
    const auto engine = update::make_engine(site.settings);
    EXPECT_EQ(engine->update(automatic, site.progress, {}).outcome,
              update::UpdateOutcome::NothingToDo);
    EXPECT_NE(site.progress.messages.back().find("is held (failed)"), std::string::npos);
    EXPECT_EQ(site.update("v2").outcome, update::UpdateOutcome::Finalized);
}

TEST(Settle, AnExpectedDigestDoesNotLiftAHold) {
    Site site;
    site.install();
    site.settings.image = Site::image("v2");
    site.update("v2");
    const auto armed = *site.engine().status().staged;
    (void)site.engine().rollback(site.progress, {});
    update::UpdateOptions guarded;
    guarded.expected_digest = armed.digest;
    const auto engine = update::make_engine(site.settings);
    EXPECT_EQ(engine->update(guarded, site.progress, {}).outcome,
              update::UpdateOutcome::NothingToDo);
}

TEST(Settle, CollectingNeedsToKnowWhatRuns) {
    Site site;
    run_second(site);
    site.bless();
    site.update("v3");
    site.dir.write("cmdline", "quiet\n");
    const auto result = site.engine().collect(false, site.progress, {});
    EXPECT_EQ(result.deployments.size(), 0U);
    ASSERT_EQ(result.warnings.size(), 1U);
    EXPECT_NE(result.warnings[0].find("no deployment was dropped"), std::string::npos);
    EXPECT_EQ(site.entries().size(), 3U);
}

TEST(Settle, TheProvenSlotOutlivesOnesThatNeverRan) {
    Site site;
    site.install();
    site.update("v2");
    site.update("v3");
    site.reboot();
    site.bless();
    EXPECT_EQ(site.engine().status().booted->version, "3");
    EXPECT_EQ(site.engine().status().rollback->version, "1");
    (void)site.engine().collect(false, site.progress, {});
    EXPECT_NE(entry_of(site, "1"), "");
    EXPECT_EQ(entry_of(site, "2"), "");
}

TEST(Settle, TheProvenSlotStaysWhileTwoOthersAreOnTrial) {
    Site site;
    run_second(site);
    site.update("v3");
    (void)site.engine().collect(false, site.progress, {});
    EXPECT_NE(entry_of(site, "1"), "");
    EXPECT_NE(entry_of(site, "2"), "");
    EXPECT_NE(entry_of(site, "3"), "");
}

TEST(Settle, AProvenVersionRaisesTheFloor) {
    Site site;
    run_second(site);
    change_record(site, "2", [](auto& record) { record.security_version = 3; });
    site.engine().reconcile();
    EXPECT_EQ(floor_of(site), 0U);  // it runs, but nothing says that it is well
    site.bless();
    EXPECT_EQ(error_name([&] { (void)site.update("v3"); }), "DowngradeRejected");
    EXPECT_EQ(floor_of(site), 3U);
}

TEST(Settle, DamagedHoldsStopUpdatesButNoRollback) {
    Site site;
    run_second(site);
    site.dir.write("sysroot/state/cfsupdated/held.json", "{");
    EXPECT_EQ(error_name([&] { (void)site.update("v3"); }), "StateCorrupt");
    EXPECT_EQ(site.engine().rollback(site.progress, {}).version, "1");
    EXPECT_TRUE(site.reboot().starts_with("fixture_1-"));
}

}  // namespace
}  // namespace cfs
