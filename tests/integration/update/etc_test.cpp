// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "site.hpp"

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mount.h>

#include <filesystem>
#include <map>

namespace cfs {
namespace {

using test::error_name;
using test::Site;

std::string etc_of(const update::DeploymentInfo& deployment) {
    return "sysroot/state/deploy/" + deployment.digest + "/etc/";
}

TEST(EtcMerge, LocalChangesAndVendorChangesBothArrive) {
    Site site;
    const std::string old_etc = etc_of(site.install().deployment);
    site.dir.write(old_etc + "edited.conf", "local edit\n");
    site.dir.write(old_etc + "added.conf", "local file\n");
    std::filesystem::remove(site.dir / (old_etc + "conf.d/one"));
    const auto result = site.update("v2");
    const std::string new_etc = etc_of(result.deployment);
    EXPECT_EQ(site.dir.read(new_etc + "edited.conf"), "local edit\n");
    EXPECT_EQ(site.dir.read(new_etc + "added.conf"), "local file\n");
    EXPECT_EQ(site.dir.read(new_etc + "version.conf"), "vendor version 2\n");
    EXPECT_EQ(site.dir.read(new_etc + "conf.d/two"), "new in 2\n");
    EXPECT_FALSE(std::filesystem::exists(site.dir / (new_etc + "conf.d/one")));
    EXPECT_FALSE(result.etc_changes.empty());
}

TEST(EtcMerge, TheOldDeploymentsEtcIsNotTouched) {
    Site site;
    const auto old = site.install().deployment;
    site.dir.write(etc_of(old) + "edited.conf", "local edit\n");
    const std::string before = test::tree_listing(site.etc(old));
    site.update("v2");
    EXPECT_EQ(test::tree_listing(site.etc(old)), before);
}

TEST(EtcMerge, ChangesAfterStagingArrive) {
    Site site;
    const std::string old_etc = etc_of(site.install().deployment);
    (void)site.update_to(Site::image("v2"), false);
    site.dir.write(old_etc + "late.conf", "after staging\n");
    const auto result = site.engine().finalize(site.progress, {});
    EXPECT_EQ(site.dir.read(etc_of(result.deployment) + "late.conf"), "after staging\n");
}

TEST(EtcMerge, AConflictDoesNotStopTheMachine) {
    Site site;
    const auto old = site.install().deployment;
    site.dir.write(etc_of(old) + "local.conf", "mine\n");
    const auto result = site.update("v2-conflict");
    const std::string new_etc = etc_of(result.deployment);
    EXPECT_EQ(site.dir.read(new_etc + "local.conf"), "mine\n");
    EXPECT_TRUE(std::filesystem::is_directory(site.dir / (new_etc + "local.conf.new")));
    ASSERT_EQ(result.etc_conflicts.size(), 1U);
    EXPECT_NE(result.etc_conflicts[0].find("'local.conf.new'"), std::string::npos);
}

TEST(EtcMerge, ARuleDecides) {
    Site site;
    site.settings.etc.rules = {"take version.conf", "both edited.conf"};
    const auto old = site.install().deployment;
    site.dir.write(etc_of(old) + "version.conf", "mine\n");
    const auto result = site.update("v2");
    EXPECT_EQ(site.dir.read(etc_of(result.deployment) + "version.conf"), "vendor version 2\n");
    EXPECT_TRUE(result.etc_conflicts.empty());
}

/// What systemd-confext does: an overlay over /etc, which a shared bind mount shows at the place
/// where the merge reads the deployment's /etc.
TEST(EtcMerge, WhatIsMountedOverEtcIsNotTheMachines) {
    Site site;
    const auto old = site.install().deployment;
    const std::string old_etc = etc_of(old);
    site.dir.write(old_etc + "edited.conf", "local edit\n");
    site.dir.write("confext/extension.conf", "of a confext\n");
    site.dir.write("file.conf", "bound over one file\n");
    const std::string etc = site.dir / old_etc;
    if (::unshare(CLONE_NEWNS) != 0) GTEST_SKIP() << "needs a mount namespace of its own";
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    const std::string layers = "lowerdir=" + site.dir / "confext" + ":" + etc;
    if (::mount("overlay", etc.c_str(), "overlay", MS_RDONLY, layers.c_str()) != 0) {
        GTEST_SKIP() << "this kernel stacks no overlay here";
    }
    const std::string bound = etc + "version.conf";
    ASSERT_EQ(::mount((site.dir / "file.conf").c_str(), bound.c_str(), nullptr, MS_BIND, nullptr),
              0);
    ASSERT_TRUE(std::filesystem::exists(etc + "extension.conf"));
    const auto result = site.update("v2");
    EXPECT_EQ(::umount2(bound.c_str(), 0), 0);
    EXPECT_EQ(::umount2(etc.c_str(), 0), 0);
    const std::string new_etc = etc_of(result.deployment);
    EXPECT_FALSE(std::filesystem::exists(site.dir / (new_etc + "extension.conf")));
    EXPECT_EQ(site.dir.read(new_etc + "edited.conf"), "local edit\n");
    EXPECT_EQ(site.dir.read(new_etc + "version.conf"), "vendor version 2\n");
}

update::EtcPreview preview(Site& site, const update::EtcPreviewOptions& options) {
    return site.engine().preview_etc(options, site.progress, {});
}

TEST(EtcPreview, OfTheRunningImageIsWhatIsLocal) {
    Site site;
    const std::string etc = etc_of(site.install().deployment);
    EXPECT_TRUE(preview(site, {}).changes.empty());
    site.dir.write(etc + "edited.conf", "local edit\n");
    site.dir.write(etc + "added.conf", "local file\n");
    const std::string before = site.snapshot();
    const auto all = preview(site, {"", "", true});
    EXPECT_TRUE(all.local_only);
    ASSERT_EQ(all.changes.size(), 2U);
    EXPECT_EQ(all.changes[0].path, "added.conf");
    EXPECT_EQ(all.changes[0].kind, etc::ChangeKind::AddedLocal);
    EXPECT_EQ(all.changes[1].kind, etc::ChangeKind::KeptLocal);
    EXPECT_NE(all.diff.find("--- /dev/null\n+++ b/etc/added.conf\n@@ -0,0 +1 @@\n+local file\n"),
              std::string::npos)
        << all.diff;
    EXPECT_NE(all.diff.find("+local edit\n"), std::string::npos) << all.diff;
    const auto one = preview(site, {"booted", "/etc/edited.conf", true});
    EXPECT_EQ(one.changes.size(), 1U);
    EXPECT_EQ(one.diff.find("added.conf"), std::string::npos);
    EXPECT_EQ(site.snapshot(), before);
    EXPECT_FALSE(std::filesystem::exists(site.dir / "sysroot/state/cfsupdated/work/etc-preview"));
}

TEST(EtcPreview, OfWhatIsStagedIsWhatFinalizingDoes) {
    Site site;
    site.settings.etc.rules = {"take version.conf"};
    const std::string etc = etc_of(site.install().deployment);
    site.dir.write(etc + "version.conf", "mine\n");
    (void)site.update_to(Site::image("v2"), false);
    const auto shown = preview(site, {"", "", true});
    EXPECT_FALSE(shown.local_only);
    EXPECT_NE(shown.diff.find("-mine\n+vendor version 2\n"), std::string::npos) << shown.diff;
    std::vector<std::string> paths;
    for (const auto& change : shown.changes)
        paths.push_back("/etc/" + change.path + ": " + std::string(etc::to_string(change.kind)));
    const auto result = site.engine().finalize(site.progress, {});
    ASSERT_EQ(result.etc_changes.size(), paths.size());
    for (std::size_t i = 0; i < paths.size(); ++i)
        EXPECT_TRUE(result.etc_changes[i].starts_with(paths[i])) << result.etc_changes[i];
    EXPECT_EQ(site.dir.read(etc_of(result.deployment) + "version.conf"), "vendor version 2\n");
}

TEST(EtcPreview, RefusesWhatIsNotThere) {
    Site site;
    site.install();
    EXPECT_EQ(error_name([&] { (void)preview(site, {"99", "", false}); }), "NotFound");
    EXPECT_EQ(error_name([&] { (void)preview(site, {"", "../usr", false}); }), "InvalidArgs");
}

TEST(EtcRestore, GivesAFileBackAsTheImageHasIt) {
    Site site;
    const std::string etc = etc_of(site.install().deployment);
    const std::string vendors = site.dir.read(etc + "edited.conf");
    site.dir.write(etc + "edited.conf", "local edit\n", 0600);
    std::filesystem::remove_all(site.dir / (etc + "conf.d"));
    const auto restore = [&](const std::string& path) {
        return site.engine().restore_etc(path, site.progress, {});
    };
    EXPECT_EQ(restore("/etc/edited.conf").was, "kept-local");
    EXPECT_EQ(site.dir.read(etc + "edited.conf"), vendors);
    EXPECT_TRUE(restore("conf.d/").done);
    EXPECT_TRUE(std::filesystem::exists(site.dir / (etc + "conf.d/one")));
    EXPECT_TRUE(preview(site, {}).changes.empty());
    EXPECT_FALSE(restore("edited.conf").done);
}

TEST(EtcRestore, TakesNothingElseWithIt) {
    Site site;
    const std::string etc = etc_of(site.install().deployment);
    site.dir.write(etc + "made-here", "mine\n");
    std::filesystem::remove_all(site.dir / (etc + "conf.d"));
    std::filesystem::create_directory(site.dir / (etc + "conf.d"));
    site.dir.write(etc + "conf.d/mine", "mine\n");
    const std::string before = test::tree_listing(site.dir / etc);
    for (const auto& [path, error] : std::map<std::string, std::string>{{"made-here", "NotFound"},
                                                                        {"conf.d", "InvalidArgs"},
                                                                        {"passwd", "InvalidArgs"},
                                                                        {"no/such", "NotFound"},
                                                                        {"", "InvalidArgs"}}) {
        EXPECT_EQ(error_name([&] { (void)site.engine().restore_etc(path, site.progress, {}); }),
                  error)
            << path;
    }
    EXPECT_EQ(test::tree_listing(site.dir / etc), before);
}

TEST(EtcMerge, ReinstallingAKeptSlotKeepsItsOwnEtcBeside) {
    Site site;
    site.install();
    site.update("v2");
    site.reboot();
    const auto second = *site.engine().status().booted;
    site.dir.write(etc_of(second) + "of-second.conf", "written while 2 ran\n");
    (void)site.engine().rollback(site.progress, {});
    site.reboot();
    const auto result = site.update("v2");
    EXPECT_EQ(result.deployment.digest, second.digest);
    const std::string state = "sysroot/state/deploy/" + second.digest;
    EXPECT_EQ(site.dir.read(state + "/etc.prev/of-second.conf"), "written while 2 ran\n");
    EXPECT_FALSE(std::filesystem::exists(site.dir / (state + "/etc/of-second.conf")));
}

}  // namespace
}  // namespace cfs
