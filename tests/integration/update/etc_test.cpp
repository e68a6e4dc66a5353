// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "site.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs {
namespace {

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
