// SPDX-License-Identifier: Apache-2.0
// What a boot's check sees of the machine that runs.
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "site.hpp"
#include "update/health.hpp"
#include "update/state_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

namespace cfs {
namespace {

namespace fs = std::filesystem;
using test::Site;
using update::BootReport;

class BootCheck : public testing::Test {
 protected:
    void SetUp() override {
        site_.settings.mountinfo = site_.dir / "mountinfo";
        site_.install();
        site_.update("v2");
        site_.reboot();
        booted_ = *site_.engine().status().booted;
        ASSERT_EQ(booted_.version, "2");
        mounted(booted_.digest);
        site_.dir.write("run/booted.json",
                        "{\"schema\":1,\"digest\":\"" + booted_.digest +
                            "\",\"measured\":true,\"etc\":\"bind\"}\n");
    }

    /// As the kernel shows an image under a transient overlay, beside other mounts.
    void mounted(const std::string& digest) const {
        site_.dir.write("mountinfo",
                        "21 1 0:20 / / ro,relatime shared:1 - overlay composefs:" + digest +
                            " ro,verity=require\n"
                            "22 21 0:21 / /proc rw shared:5 master:2 - proc proc rw\n"
                            "23 21 0:22 / / rw,relatime - overlay transient:/ rw\n"
                            "24 21 0:23 / /mnt rw - overlay composefs:00 ro\n");
    }

    void script(const std::string& path, const std::string& text) const {
        site_.dir.write("health/" + path, "#!/bin/sh\n" + text + "\n");
        ASSERT_EQ(::chmod((site_.dir / ("health/" + path)).c_str(), 0755), 0);
    }

    BootReport check() {
        update::BootPlaces places;
        places.etc = etc_.empty() ? site_.etc(booted_) : etc_;
        places.patience = std::chrono::milliseconds(300);
        return update::check_boot(site_.settings, system_clock(), places);
    }

    /// One check fails, and says so.
    void expect_failure(const std::string& start, const std::string& part) {
        const BootReport report = check();
        ASSERT_EQ(report.failed.size(), 1U) << report.failed_line();
        EXPECT_TRUE(report.failed[0].starts_with(start)) << report.failed[0];
        EXPECT_NE(report.failed[0].find(part), std::string::npos) << report.failed[0];
        const auto warnings = site_.engine().status().warnings;
        ASSERT_FALSE(warnings.empty());
        EXPECT_EQ(warnings.back(),
                  "this boot did not pass its health checks: " + report.failed_line());
    }

    Site site_;
    update::DeploymentInfo booted_;
    std::string etc_;
};

TEST_F(BootCheck, PassesOnAWholeSystem) {
    const BootReport report = check();
    EXPECT_EQ(report.failed_line(), "");
    EXPECT_TRUE(report.warnings.empty()) << report.warnings[0];
    EXPECT_EQ(report.passed, 7U);
    EXPECT_TRUE(site_.engine().status().warnings.empty());
}

TEST_F(BootCheck, AnotherImageAtTheRootIsAFailure) {
    mounted(std::string(128, 'e'));
    expect_failure("the root: ", "'composefs:eeee");
    site_.dir.write("mountinfo", "21 1 0:20 / / ro - ext4 /dev/vda2 ro\n");
    expect_failure("the root: ", "no composefs image is mounted at /");
}

TEST_F(BootCheck, AnotherSlotThanTheLoaderStartedIsAFailure) {
    const std::string first = site_.engine().status().rollback->uki;
    std::string variable("\x06\0\0\0", 4);
    for (const char c : first)
        variable += {c, '\0'};
    site_.dir.write("efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", variable);
    expect_failure("the boot entry: ", "the loader started '" + first + "'");
}

TEST_F(BootCheck, WhatAPersonToldTheLoaderIsShown) {
    const auto set = [&](const std::string& name, const std::string& text) {
        std::string variable("\x07\0\0\0", 4);
        for (const char c : text + std::string(1, '\0'))
            variable += {c, '\0'};
        site_.dir.write("efivars/" + name + "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", variable);
    };
    const std::string older = site_.engine().status().rollback->uki;
    set("LoaderEntryDefault", older);
    auto status = site_.engine().status();
    ASSERT_EQ(status.warnings.size(), 1U);
    EXPECT_NE(status.warnings[0].find("start '" + older + "'"), std::string::npos);
    EXPECT_TRUE(status.rollback->next);
    EXPECT_TRUE(status.reboot_pending);
    set("LoaderEntryDefault", "");
    set("LoaderEntryOneShot", older);
    status = site_.engine().status();
    ASSERT_EQ(status.warnings.size(), 1U);
    EXPECT_NE(status.warnings[0].find("LoaderEntryOneShot"), std::string::npos);
    EXPECT_TRUE(status.rollback->next);
}

TEST_F(BootCheck, AnImageThatIsGoneIsAFailure) {
    fs::remove(site_.dir / ("sysroot/composefs/images/" + booted_.digest));
    expect_failure("the store: ", "is missing or damaged");
}

TEST_F(BootCheck, AnEntryThatIsGoneIsAFailure) {
    fs::remove(site_.dir / ("esp/EFI/Linux/" + booted_.uki));
    expect_failure("the EFI system partition: ", "has no entry");
}

TEST_F(BootCheck, AnEspThatIsNotMountedIsSaidOnceByEach) {
    fs::remove_all(site_.dir / "esp");
    const BootReport report = check();
    ASSERT_EQ(report.failed.size(), 2U) << report.failed_line();
    EXPECT_TRUE(report.failed[0].starts_with("what the last run left: "));
    EXPECT_TRUE(report.failed[1].starts_with("the EFI system partition: "));
}

TEST_F(BootCheck, AnotherEtcThanTheDeploymentsIsAFailure) {
    etc_ = site_.dir / "elsewhere";
    fs::create_directory(etc_);
    expect_failure("/etc: ", "not the deployment's own");
}

TEST_F(BootCheck, ARequiredProgramDecidesAndAWantedOneIsOnlySaid) {
    script("wanted.d/network.sh", "echo unreachable; exit 1");
    script("required.d/fine.sh", "exit 0");
    const BootReport good = check();
    EXPECT_EQ(good.failed_line(), "");
    EXPECT_EQ(good.passed, 8U);
    EXPECT_EQ(good.warnings, std::vector<std::string>{"'network.sh' ended with 1: unreachable"});
    script("required.d/db.sh", "echo no disk; exit 4");
    expect_failure("'db.sh' ended with 4: no disk", "");
}

TEST_F(BootCheck, WithoutThisProjectsInitrdTheRootIsNotJudged) {
    fs::remove(site_.dir / "run/booted.json");
    site_.dir.write("mountinfo", "");
    const BootReport report = check();
    EXPECT_EQ(report.failed_line(), "");
    EXPECT_EQ(report.warnings.size(), 1U);
}

TEST_F(BootCheck, SomebodyElsesLockIsNoFailure) {
    const UniqueFd root = open_root(site_.settings.sysroot);
    const update::StateDir state(root.get(), false);
    const UniqueFd lock = state.lock();
    EXPECT_EQ(check().failed_line(), "");
}

TEST_F(BootCheck, ASystemThatIsNotOursIsAFailureAndNoCrash) {
    site_.dir.write("cmdline", "quiet\n");
    fs::remove(site_.dir / "run/booted.json");
    expect_failure("the running deployment: ", "none of the deployments");
}

}  // namespace
}  // namespace cfs
