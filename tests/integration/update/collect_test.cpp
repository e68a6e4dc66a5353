// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "image/erofs_reader.hpp"
#include "site.hpp"
#include "store/fsck.hpp"
#include "support/file_flags.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace cfs {
namespace {

using test::Site;

store::FsckReport fsck(const Site& site) {
    const auto store =
        store::Repository::open(site.settings.sysroot + "/composefs", store::VerityPolicy::Try);
    return store::fsck(*store, image::erofs_objects, false);
}

/// Files and links of the store; empty object folders are nothing to anybody.
std::size_t count_files(const Site& site) {
    std::size_t count = 0;
    const std::string path = site.settings.sysroot + "/composefs";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        if (!entry.is_directory() || entry.is_symlink()) ++count;
    }
    return count;
}

void update_and_boot(Site& site, const std::string& tag) {
    site.update(tag);
    site.reboot();
    site.bless();
}

TEST(Collect, KeepsTwoDeploymentsAndLeavesACleanStore) {
    Site site;
    site.install();
    update_and_boot(site, "v2");
    update_and_boot(site, "v3");
    EXPECT_EQ(site.engine().status().deployments.size(), 3U);
    const auto planned = site.engine().collect(true, site.progress, {});
    EXPECT_EQ(planned.deployments.size(), 1U);
    EXPECT_EQ(site.engine().status().deployments.size(), 3U);
    const auto result = site.engine().collect(false, site.progress, {});
    EXPECT_EQ(result.deployments, planned.deployments);
    EXPECT_GT(result.objects, 0U);
    EXPECT_EQ(result.objects, planned.objects);
    EXPECT_EQ(result.bytes, planned.bytes);
    const auto status = site.engine().status();
    ASSERT_EQ(status.deployments.size(), 2U);
    EXPECT_EQ(status.booted->version, "3");
    EXPECT_EQ(status.rollback->version, "2");
    EXPECT_EQ(site.entries().size(), 2U);
    const auto report = fsck(site);
    EXPECT_TRUE(report.clean) << (report.findings.empty() ? "" : report.findings[0].problem);
}

TEST(Collect, DropsTheStateDirectoryOfWhatItDrops) {
    Site site;
    const auto first = site.install().deployment;
    update_and_boot(site, "v2");
    update_and_boot(site, "v3");
    (void)site.engine().collect(false, site.progress, {});
    EXPECT_FALSE(std::filesystem::exists(site.etc(first)));
    EXPECT_TRUE(std::filesystem::exists(site.etc(*site.engine().status().rollback)));
}

/// As people protect /etc/resolv.conf, and a folder of theirs.
void protect_in(test::FileFlags& flags, const std::string& etc) {
    for (const char* name : {"/resolv.conf", "/own.d/file"}) {
        std::filesystem::create_directories(std::filesystem::path(etc + name).parent_path());
        std::ofstream(etc + name) << "nameserver 192.0.2.1\n";
        flags.add(etc + name);
    }
    flags.add(etc + "/own.d", FS_APPEND_FL);
}

TEST(Collect, DropsADeploymentWithImmutableFilesInItsEtc) {
    Site site;
    const std::string why = test::FileFlags::missing_in(site.dir.path());
    if (!why.empty()) GTEST_SKIP() << why;
    test::FileFlags flags;
    const auto first = site.install().deployment;
    update_and_boot(site, "v2");
    update_and_boot(site, "v3");
    protect_in(flags, site.etc(first));
    EXPECT_EQ(site.engine().collect(false, site.progress, {}).deployments.size(), 1U);
    EXPECT_FALSE(std::filesystem::exists(site.etc(first)));
    EXPECT_TRUE(std::filesystem::is_empty(site.settings.sysroot + "/state/cfsupdated/work"));
    const auto status = site.engine().status();
    EXPECT_EQ(status.deployments.size(), 2U);
    EXPECT_TRUE(status.warnings.empty()) << status.warnings[0];
    EXPECT_EQ(site.engine().rollback(site.progress, {}).version, "2");
}

TEST(Collect, NeverTakesTheWayBack) {
    Site site;
    site.install();
    site.update("v2");
    site.update("v3");
    (void)site.engine().collect(false, site.progress, {});
    const auto status = site.engine().status();
    EXPECT_EQ(status.booted->version, "1");
    EXPECT_EQ(status.staged->version, "3");
}

TEST(Collect, FreesWhatARefusedUpdateLeft) {
    Site site;
    site.install();
    (void)site.engine().collect(false, site.progress, {});
    const std::size_t before = count_files(site);
    EXPECT_EQ(test::error_name([&] { (void)site.update("other-uki"); }), "DigestMismatch");
    EXPECT_GT(count_files(site), before);
    (void)site.engine().collect(false, site.progress, {});
    EXPECT_EQ(count_files(site), before);
}

TEST(Store, IsCleanAfterAnUpdate) {
    Site site;
    site.install();
    site.update("v2");
    const auto report = fsck(site);
    EXPECT_TRUE(report.clean) << (report.findings.empty() ? "" : report.findings[0].problem);
    EXPECT_EQ(report.images_checked, 2U);
}

}  // namespace
}  // namespace cfs
