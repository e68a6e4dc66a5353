// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "site.hpp"
#include "update/machine.hpp"
#include "update/offline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace cfs {
namespace {

using test::error_name;
using test::Site;
using update::DeploymentState;
using update::UpdateOutcome;

TEST(Install, MakesOneUncountedBootedDeployment) {
    Site site;
    const auto result = site.install();
    EXPECT_EQ(result.outcome, UpdateOutcome::Finalized);
    ASSERT_EQ(site.entries().size(), 1U);
    EXPECT_EQ(site.entries()[0].find('+'), std::string::npos);
    const auto status = site.engine().status();
    ASSERT_TRUE(status.booted);
    EXPECT_EQ(status.booted->version, "1");
    EXPECT_TRUE(status.booted->next);
    EXPECT_FALSE(status.staged);
    EXPECT_FALSE(status.rollback);
    EXPECT_FALSE(status.reboot_pending);
    EXPECT_EQ(status.warnings, std::vector<std::string>{});
}

TEST(Install, FillsVarAndEtcFromTheImage) {
    Site site;
    const auto result = site.install();
    EXPECT_EQ(site.dir.read("sysroot/state/os/default/var/lib/seed"), "seed\n");
    const std::string state = "sysroot/state/deploy/" + result.deployment.digest;
    EXPECT_EQ(site.dir.read(state + "/etc/version.conf"), "vendor version 1\n");
    EXPECT_EQ(std::filesystem::read_symlink(site.dir / (state + "/var")), "../../os/default/var");
    const std::string origin = site.dir.read(state + "/" + result.deployment.digest + ".origin");
    EXPECT_NE(origin.find("manifest_digest=" + result.deployment.manifest_digest),
              std::string::npos);
}

TEST(Install, RefusesATargetThatIsNotEmpty) {
    Site site;
    site.install();
    const std::string before = site.snapshot();
    EXPECT_EQ(error_name([&] {
                  (void)update::install(Site::image("v2"), site.settings, site.progress, {});
              }),
              "Busy");
    EXPECT_EQ(site.snapshot(), before);
}

TEST(Update, ArmsTheNewVersionAndKeepsTheOldOne) {
    Site site;
    site.install();
    const auto old_entry = site.entries().at(0);
    const auto result = site.update("v2");
    EXPECT_EQ(result.outcome, UpdateOutcome::Finalized);
    const auto entries = site.entries();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(std::count(entries.begin(), entries.end(), old_entry), 1);
    const auto status = site.engine().status();
    ASSERT_TRUE(status.staged);
    EXPECT_EQ(status.staged->version, "2");
    EXPECT_EQ(status.staged->state, DeploymentState::Armed);
    EXPECT_TRUE(status.staged->next);
    EXPECT_NE(status.staged->uki.find("+2-0.efi"), std::string::npos);
    EXPECT_TRUE(status.reboot_pending);
    EXPECT_EQ(status.booted->version, "1");
    EXPECT_EQ(site.progress.stages,
              (std::vector<std::string>{"check",
                                        "gate",
                                        "fetch",
                                        "compose",
                                        "verify",
                                        "stage",
                                        "finalize",
                                        "check",
                                        "gate",
                                        "fetch",
                                        "compose",
                                        "verify",
                                        "stage",
                                        "finalize"}));
}

TEST(Update, BootsTheNewVersion) {
    Site site;
    site.install();
    site.update("v2");
    const std::string booted = site.reboot();
    EXPECT_NE(booted.find("+1-1.efi"), std::string::npos);
    const auto status = site.engine().status();
    EXPECT_EQ(status.booted->version, "2");
    EXPECT_EQ(status.rollback->version, "1");
    EXPECT_FALSE(status.staged);
}

TEST(Update, FetchesOnlyTheLayerThatChanged) {
    Site site;
    site.install();
    const auto result = site.update("v2");
    const auto base = std::filesystem::file_size(Site::fixture("layers/base.tar.gz"));
    const auto app = std::filesystem::file_size(Site::fixture("layers/app2.tar.zst"));
    EXPECT_EQ(result.reused_bytes, base);
    EXPECT_EQ(site.progress.last_done, result.fetched_bytes);
    EXPECT_EQ(site.progress.last_total, result.fetched_bytes);
    // The app layer and the UKI layer, nothing else.
    EXPECT_GT(result.fetched_bytes, app);
    EXPECT_LT(result.fetched_bytes, app + (std::size_t{1} << 20));
}

TEST(Update, SaysNothingToDoForTheRunningImage) {
    Site site;
    site.install();
    const std::string before = site.snapshot();
    EXPECT_EQ(site.update("v1").outcome, UpdateOutcome::NothingToDo);
    EXPECT_EQ(site.snapshot(), before);
}

TEST(Update, SaysNothingToDoForTheArmedImage) {
    Site site;
    site.install();
    site.update("v2");
    const std::string before = site.snapshot();
    EXPECT_EQ(site.update("v2").outcome, UpdateOutcome::NothingToDo);
    EXPECT_EQ(site.snapshot(), before);
}

TEST(Update, ANewUkiOverTheSameImageSharesItsState) {
    Site site;
    site.install("v2");
    site.dir.write("sysroot/state/deploy/" + site.engine().status().booted->digest + "/etc/local",
                   "mine");
    const auto result = site.update("v2-rebuilt");
    EXPECT_EQ(result.outcome, UpdateOutcome::Finalized);
    EXPECT_EQ(result.deployment.digest, site.engine().status().booted->digest);
    EXPECT_EQ(site.entries().size(), 2U);
    EXPECT_EQ(site.dir.read("sysroot/state/deploy/" + result.deployment.digest + "/etc/local"),
              "mine");
}

TEST(Update, StagesFirstAndFinalizesLater) {
    Site site;
    site.install();
    const auto staged = site.update_to(Site::image("v2"), false);
    EXPECT_EQ(staged.outcome, UpdateOutcome::Staged);
    auto status = site.engine().status();
    EXPECT_EQ(status.staged->state, DeploymentState::Staged);
    EXPECT_TRUE(status.reboot_pending);  // the shutdown before it finalizes
    EXPECT_EQ(site.engine().finalize(site.progress, {}).outcome, UpdateOutcome::Finalized);
    status = site.engine().status();
    EXPECT_EQ(status.staged->state, DeploymentState::Armed);
    EXPECT_TRUE(status.reboot_pending);
    EXPECT_EQ(error_name([&] { (void)site.engine().finalize(site.progress, {}); }), "NotFound");
}

TEST(Update, ANewerStageReplacesAnOlderOne) {
    Site site;
    site.install();
    (void)site.update_to(Site::image("v2"), false);
    (void)site.update_to(Site::image("v3"), false);
    const auto status = site.engine().status();
    EXPECT_EQ(status.staged->version, "3");
    EXPECT_EQ(status.deployments.size(), 2U);
}

TEST(Update, RefusesADowngrade) {
    Site site;
    site.install("v2");
    const std::string before = site.snapshot();
    EXPECT_EQ(error_name([&] { (void)site.update("v1"); }), "DowngradeRejected");
    EXPECT_EQ(site.snapshot(), before);
}

TEST(Update, HonoursTheExpectedDigest) {
    Site site;
    site.install();
    update::UpdateOptions options;
    options.image = Site::image("v2");
    options.expected_digest = "sha256:" + std::string(64, '0');
    EXPECT_EQ(error_name([&] { (void)site.engine().update(options, site.progress, {}); }),
              "DigestMismatch");
    options.expected_digest = std::string(128, '0');
    EXPECT_EQ(error_name([&] { (void)site.engine().update(options, site.progress, {}); }),
              "DigestMismatch");
    const auto checked = site.engine().check(Site::image("v2"), site.progress, {});
    options.expected_digest = checked.available.digest;
    EXPECT_EQ(site.engine().update(options, site.progress, {}).outcome, UpdateOutcome::Finalized);
}

TEST(Check, KnowsExactSizesAndTheVersion) {
    Site site;
    site.install();
    const auto checked = site.engine().check(Site::image("v2"), site.progress, {});
    EXPECT_TRUE(checked.update_available);
    EXPECT_EQ(checked.available.version, "2");
    EXPECT_EQ(checked.available.digest.size(), 128U);
    EXPECT_EQ(checked.available.download_bytes,
              std::filesystem::file_size(Site::fixture("layers/app2.tar.zst")));
    EXPECT_EQ(checked.available.unpacked_bytes,
              std::filesystem::file_size(Site::fixture("layers/app2.tar")));
    EXPECT_EQ(site.engine().status().available->version, "2");
    EXPECT_EQ(site.engine().status().available->unpacked_bytes, checked.available.unpacked_bytes);
    EXPECT_FALSE(site.engine().check(Site::image("v1"), site.progress, {}).update_available);
    EXPECT_FALSE(site.engine().status().available);
}

TEST(Update, StopsWhenAsked) {
    Site site;
    site.install();
    const std::string before = site.snapshot();
    std::stop_source stop;
    stop.request_stop();
    update::UpdateOptions options;
    options.image = Site::image("v2");
    EXPECT_EQ(
        error_name([&] { (void)site.engine().update(options, site.progress, stop.get_token()); }),
        "Cancelled");
    EXPECT_EQ(site.snapshot(), before);
}

/// What the boot has to note takes a moment; who asks in that moment is not sent away.
TEST(Update, WaitsForTheBootsOwnVerb) {
    Site site;
    site.install();
    const UniqueFd root = open_root(site.settings.sysroot);
    const update::StateDir state(root.get(), false);
    std::optional<UniqueFd> lock = state.lock();
    std::jthread boot([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        lock.reset();
    });
    EXPECT_EQ(error_name([&] { (void)site.update("v2"); }), "no error");
    boot.join();
    lock = state.lock();
    std::stop_source stop;
    stop.request_stop();
    const update::UpdateOptions options;
    EXPECT_EQ(
        error_name([&] { (void)site.engine().update(options, site.progress, stop.get_token()); }),
        "Cancelled");
}

TEST(Update, WithoutAnInstallationSaysSo) {
    Site site;
    std::string text;
    EXPECT_EQ(error_name([&] { (void)site.update("v1"); }, &text), "NotFound");
    EXPECT_NE(text.find("cfsctl install"), std::string::npos);
}

TEST(Status, OfAnEmptyMachineSaysSoAndWritesNothing) {
    Site site;
    const auto status = site.engine().status();
    EXPECT_FALSE(status.booted);
    EXPECT_EQ(status.warnings, std::vector<std::string>{"no deployment is installed here"});
    EXPECT_TRUE(std::filesystem::is_empty(site.settings.sysroot));
}

TEST(Status, SurvivesAMissingEspAndAMissingSysroot) {
    Site site;
    site.install();
    std::filesystem::remove_all(site.settings.esp);
    EXPECT_FALSE(site.engine().status().warnings.empty());
    EXPECT_EQ(site.engine().status().booted->version, "1");
    EXPECT_EQ(error_name([&] { (void)site.update("v2"); }), "NotFound");
    std::filesystem::remove_all(site.settings.sysroot);
    EXPECT_FALSE(site.engine().status().warnings.empty());
}

bool mentions(const std::vector<std::string>& lines, const std::string& text) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
    });
}

TEST(TrustState, DamagedAllowsNoUpdateAndIsShown) {
    for (const std::string& file : {std::string("floor"), std::string("held.json")}) {
        Site site;
        site.install();
        const std::string path = "sysroot/state/cfsupdated/" + file;
        site.dir.write(path, "\x01");
        const std::string before = site.snapshot();
        EXPECT_EQ(error_name([&] { (void)site.update("v2"); }), "StateCorrupt") << file;
        EXPECT_EQ(site.snapshot(), before) << file;
        EXPECT_TRUE(mentions(site.engine().status().warnings, file)) << file;
        std::filesystem::remove(site.dir / path);
        EXPECT_EQ(site.update("v2").deployment.version, "2") << file;
    }
}

TEST(JobIds, NeverRepeatAcrossRestarts) {
    Site site;
    const auto first = site.engine().next_job_id();
    EXPECT_EQ(update::make_engine(site.settings)->next_job_id(), first + 1);
}

}  // namespace
}  // namespace cfs
