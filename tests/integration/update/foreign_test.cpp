// SPDX-License-Identifier: Apache-2.0
// What bootc and composefs-rs leave on a machine: shown, never touched, and a reason to refuse.
#include "base/error.hpp"
#include "site.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace cfs {
namespace {

namespace fs = std::filesystem;
using test::error_name;
using test::Site;
using update::DeploymentState;

const std::string kImage(128, 'a');

std::string deploy(const std::string& image) {
    return "sysroot/state/deploy/" + image + "/";
}

/// As `bootc install` leaves it.
void make_bootc(const Site& site, const std::string& image) {
    site.dir.write(deploy(image) + "etc/hostname", "theirs\n");
    fs::create_directory_symlink("../../os/default/var", site.dir / (deploy(image) + "var"));
    site.dir.write(
        deploy(image) + image + ".origin",
        "[origin]\ncontainer-image-reference = "
        "ostree-unverified-image:docker://registry.test/os:1\n\n[boot]\nboot_type=uki\n\n"
        "[image]\nmanifest_digest=sha256:" +
            std::string(64, '1') + "\n");
}

/// As composefs-setup-root has it.
void make_overlay(const Site& site, const std::string& image) {
    for (const char* name : {"etc/upper", "etc/work", "var"})
        fs::create_directories(site.dir / (deploy(image) + name));
}

const update::DeploymentInfo& foreign_in(const update::Status& status) {
    for (const auto& deployment : status.deployments) {
        const bool is_entry = deployment.digest.empty();  // on the ESP, of nobody
        if (deployment.state == DeploymentState::Foreign && !is_entry) return deployment;
    }
    throw Error(ErrorCode::NotFound, "status shows no foreign deployment");
}

TEST(Foreign, ABootcDeploymentIsShownBesideOurs) {
    Site site;
    (void)site.install();
    make_bootc(site, kImage);
    const std::string before = test::tree_listing(site.dir / deploy(kImage));
    const auto status = site.engine().status();
    EXPECT_EQ(status.deployments.size(), 2U);
    const auto& foreign = foreign_in(status);
    EXPECT_EQ(foreign.digest, kImage);
    EXPECT_EQ(foreign.image, "docker://registry.test/os:1");
    EXPECT_EQ(foreign.manifest_digest, "sha256:" + std::string(64, '1'));
    EXPECT_EQ(foreign.problem, "installed by bootc, which updates and removes it");
    (void)site.update("v2");
    (void)site.engine().collect(false, site.progress, {});
    EXPECT_EQ(test::tree_listing(site.dir / deploy(kImage)), before);
}

TEST(Foreign, OfComposefsRsAndUnknownOnesAreToldApart) {
    Site site;
    make_overlay(site, kImage);
    EXPECT_NE(foreign_in(site.engine().status()).problem.find("composefs-rs"), std::string::npos);
    fs::remove_all(site.dir / (deploy(kImage) + "etc/work"));
    EXPECT_NE(foreign_in(site.engine().status()).problem.find("no tool is known"),
              std::string::npos);
}

TEST(Foreign, NoUpdateWhereAnotherToolsDeploymentRuns) {
    Site site;
    (void)site.install();
    make_bootc(site, kImage);
    site.dir.write("cmdline", "composefs.digest=v1-sha512-12:" + kImage);
    std::string text;
    EXPECT_EQ(error_name([&] { (void)site.update("v2"); }, &text), "Unsupported");
    EXPECT_NE(text.find("installed by bootc"), std::string::npos) << text;
    EXPECT_EQ(foreign_in(site.engine().status()).problem.substr(0, 9), "it runs; ");
}

TEST(Foreign, AStageOfBootcsIsWaitedFor) {
    Site site;
    (void)site.install();
    const auto before = site.entries();
    const fs::path marker =
        fs::path(site.settings.run).parent_path() / "composefs/staged-deployment";
    fs::create_directories(marker.parent_path());
    std::ofstream(marker) << R"({"depl_id": "abc", "finalization_locked": false})";
    std::string text;
    EXPECT_EQ(error_name([&] { (void)site.update("v2"); }, &text), "Busy");
    EXPECT_NE(text.find("bootc has abc staged"), std::string::npos) << text;
    EXPECT_EQ(error_name([&] { (void)site.engine().rollback(site.progress, {}); }), "Busy");
    EXPECT_EQ(site.entries(), before);
    fs::remove(marker);
    (void)site.update("v2");
}

TEST(Foreign, EntriesThatBootcWillSwapInAreWaitedFor) {
    Site site;
    (void)site.install();
    const fs::path folder = site.dir / "esp/loader/entries.staged";
    site.dir.write("esp/loader/entries.staged/bootc_debian-12-1.conf", "title theirs\n");
    std::string text;
    EXPECT_EQ(error_name([&] { (void)site.update("v2"); }, &text), "Busy");
    EXPECT_NE(text.find("loader/entries.staged"), std::string::npos) << text;
    EXPECT_EQ(error_name([&] { (void)site.engine().rollback(site.progress, {}); }), "Busy");
    fs::remove(folder / "bootc_debian-12-1.conf");
    (void)site.update("v2");  // an empty folder is no stage
}

TEST(Foreign, TheSameImagesStateDirectoryIsNotTaken) {
    Site site;
    (void)site.install();
    const std::string image = site.update("v2").deployment.digest;
    (void)site.engine().rollback(site.progress, {});
    Site other;
    (void)other.install();
    make_overlay(other, image);
    const std::string before = test::tree_listing(other.dir / deploy(image));
    EXPECT_EQ(error_name([&] { (void)other.update("v2"); }), "Unsupported");
    EXPECT_EQ(test::tree_listing(other.dir / deploy(image)), before);
}

TEST(Foreign, OursWithoutItsRecordIsToldByItsPin) {
    Site site;
    const auto old = site.install().deployment;
    fs::remove_all(site.dir / "sysroot/state/cfsupdated/deployments");
    EXPECT_NE(foreign_in(site.engine().status()).problem.find("its record"), std::string::npos);
    std::string text;
    EXPECT_EQ(error_name([&] { (void)site.update("v2"); }, &text), "Unsupported");
    EXPECT_NE(text.find("record in state/cfsupdated is lost"), std::string::npos) << text;
    (void)site.engine().collect(false, site.progress, {});
    EXPECT_TRUE(fs::exists(site.etc(old)));
}

}  // namespace
}  // namespace cfs
