// SPDX-License-Identifier: Apache-2.0
// Soft reboots: systemd's and the kernel's part is played here, as tests/vm/soft_reboot.py shows
// it.
#include "update/soft_reboot.hpp"

#include "base/error.hpp"
#include "site.hpp"
#include "up_for.hpp"
#include "update/health.hpp"
#include "update/shutdown.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::Site;
using test::UpFor;
using update::DeploymentState;

void selinux(const std::string& etc, const std::string& policy) {
    fs::create_directories(etc + "/selinux/strict/policy");
    const test::TempDir dummy;
    dummy.write("config", "SELINUX=enforcing\nSELINUXTYPE=strict\n");
    dummy.write("policy.33", policy);
    fs::copy(dummy / "config", etc + "/selinux/config");
    fs::copy(dummy / "policy.33", etc + "/selinux/strict/policy/policy.33");
}

/// Version 1 is proven and runs on a machine that has soft reboots.
class SoftReboot : public testing::Test {
 protected:
    void SetUp() override {
        site_.settings.mountinfo = site_.dir / "mountinfo";
        site_.install();
        boot_with("run");
        site_.settings.image = Site::image("v2");
    }

    update::Status status() { return site_.engine().status(); }

    std::string digest_of_booted() { return status().booted.value().digest; }

    /// The initrd's part of what runs now.
    void boot_with(const std::string& record, const std::string& etc = "bind") {
        site_.dir.write("run/soft/ready", "");
        const std::string digest = digest_of_booted();
        mount(digest);
        write_record(record, digest, etc);
    }

    void mount(const std::string& digest) const {
        site_.dir.write("mountinfo",
                        "21 1 0:20 / / ro - overlay composefs:" + digest + " ro,verity=require\n");
    }

    void write_record(const std::string& dir,
                      const std::string& digest,
                      const std::string& etc = "bind") const {
        site_.dir.write(dir + "/booted.json",
                        R"({"schema":1,"digest":")" + digest + R"(","etc":")" + etc + "\"}\n");
    }

    update::UpdateResult stage(const std::string& tag = "v2", std::chrono::minutes up = 30min) {
        const UpFor clock(up);
        update::UpdateOptions options;
        options.image = Site::image(tag);
        options.finalize = false;
        return update::make_engine(site_.settings, clock)->update(options, site_.progress, {});
    }

    /// What the units do when everything was stopped. \returns the version that it leads to
    std::string shut_down(std::chrono::minutes up = 60min) {
        (void)update::finalize_at_shutdown(site_.settings);
        return update::prepare_soft_reboot(site_.settings, UpFor(up));
    }

    /// \returns what cfs-prepare-root is told to mount
    std::string planned() const {
        std::string image = site_.dir.read("run/soft/image");
        image.pop_back();
        return image;
    }

    void want() { update::want_soft_reboot(site_.settings, status().staged.value().digest); }

    void soft_reboot(std::chrono::minutes up = 60min) {
        want();
        ASSERT_NE(shut_down(up), "");
        arrive();
    }

    /// Nobody asked for more than what systemd does.
    void plain_soft_reboot(std::chrono::minutes up) {
        ASSERT_EQ(update::prepare_soft_reboot(site_.settings, UpFor(up)), "");
        arrive();
    }

    /// cfs-prepare-root, systemd, and the unit as it starts.
    void arrive() {
        const std::string image = planned();
        write_record("run/soft/" + image, image);
        mount(image);
        fs::remove(site_.dir / "run/soft/image");
        site_.engine().reconcile();
    }

    update::BootReport check(std::chrono::minutes up = 61min) {
        update::BootPlaces places;
        places.etc = site_.etc(*status().booted);
        places.patience = 300ms;
        return update::check_boot(site_.settings, UpFor(up), places);
    }

    Site site_;
};

TEST_F(SoftReboot, LeadsToWhatIsStagedAndProvesNothing) {
    (void)stage();
    EXPECT_EQ(status().soft_reboot_problem, "");
    site_.dir.write(
        fs::path(site_.etc(*status().booted)).lexically_relative(site_.dir / "") / "late.conf",
        "after staging\n");
    soft_reboot();
    const auto now = status();
    EXPECT_EQ(now.booted->version, "2");
    EXPECT_FALSE(now.reboot_pending);
    EXPECT_TRUE(now.rollback->proven);
    EXPECT_TRUE(now.booted->uki.ends_with("+2-0.efi")) << now.booted->uki;
    EXPECT_TRUE(fs::exists(site_.etc(*now.booted) + "/late.conf"));
    EXPECT_EQ(check().failed_line(), "");
    const auto good = update::mark_good(site_.settings);
    EXPECT_EQ(good.version, "2");
    EXPECT_FALSE(good.proven);
    EXPECT_FALSE(status().booted->proven);
    // The firmware starts it, and then it is.
    EXPECT_TRUE(site_.reboot().ends_with("+1-1.efi"));
    boot_with("run");
    EXPECT_EQ(check().failed_line(), "");
    EXPECT_TRUE(update::mark_good(site_.settings).proven);
    EXPECT_TRUE(status().booted->proven);
}

TEST_F(SoftReboot, NamesTheCommandLineOfWhereItLeads) {
    (void)stage();
    const std::string v2 = status().staged->digest;
    want();
    EXPECT_EQ(shut_down(), "2");
    EXPECT_EQ(planned(), v2);
    const std::string cmdline = site_.dir.read("run/soft/" + v2 + "/cmdline");
    EXPECT_NE(cmdline.find(v2), std::string::npos) << cmdline;
}

TEST_F(SoftReboot, UnaskedRestartsWhatRuns) {
    const std::string v1 = digest_of_booted();
    (void)stage();
    EXPECT_EQ(shut_down(), "");
    EXPECT_EQ(planned(), v1) << "its mounts are made anew";
    // And one wish is for one soft reboot.
    want();
    EXPECT_EQ(shut_down(), "2");
    EXPECT_EQ(shut_down(), "");
    EXPECT_EQ(planned(), v1);
}

TEST_F(SoftReboot, AWishIsForOneVersion) {
    (void)stage();
    want();
    (void)stage("v3");
    EXPECT_EQ(shut_down(), "");
    EXPECT_EQ(planned(), digest_of_booted());
    want();
    update::want_soft_reboot(site_.settings, "");
    EXPECT_EQ(shut_down(), "") << "it was taken back";
}

// Back to what the loader started is as if it had just done so.
TEST_F(SoftReboot, OfAVersionOnTrialItIsProvenAllTheSame) {
    (void)stage();
    (void)update::finalize_at_shutdown(site_.settings);
    EXPECT_TRUE(site_.reboot().ends_with("+1-1.efi"));
    boot_with("run");
    plain_soft_reboot(3min);
    EXPECT_EQ(status().booted->version, "2");
    EXPECT_EQ(check(4min).failed_line(), "");
    EXPECT_TRUE(update::mark_good(site_.settings).proven);
    EXPECT_EQ(status().booted->uki.find('+'), std::string::npos);
}

TEST_F(SoftReboot, NoneLeadsOnFromWhatIsOnTrial) {
    (void)stage();
    (void)update::finalize_at_shutdown(site_.settings);
    site_.reboot();
    boot_with("run");
    (void)stage("v3");
    EXPECT_EQ(status().soft_reboot_problem, "what the loader started is on trial still");
    (void)update::mark_good(site_.settings);
    EXPECT_EQ(status().soft_reboot_problem, "");
}

TEST_F(SoftReboot, OneThatDidNotHappenChangesNothing) {
    (void)stage();
    const std::string v1 = digest_of_booted();
    want();
    EXPECT_EQ(shut_down(), "2");
    write_record("run/soft/" + planned(), planned());
    EXPECT_EQ(digest_of_booted(), v1);
    EXPECT_TRUE(status().reboot_pending);
    EXPECT_EQ(check().failed_line(), "");
}

// Else the version that the loader started would be taken for what runs.
TEST_F(SoftReboot, ALostRecordDoesNotMakeItAnotherVersion) {
    (void)stage();
    soft_reboot();
    fs::remove_all(site_.dir / ("run/soft/" + status().booted->digest));
    EXPECT_EQ(status().booted->version, "2");
    EXPECT_FALSE(update::mark_good(site_.settings).proven);
    // Nor does a plan to restart it that comes to nothing.
    ASSERT_EQ(update::prepare_soft_reboot(site_.settings, UpFor(90min)), "");
    EXPECT_EQ(status().booted->version, "2");
}

TEST_F(SoftReboot, AnotherAndAnother) {
    (void)stage();
    soft_reboot(60min);
    (void)stage("v3", 80min);
    EXPECT_EQ(status().soft_reboot_problem, "");
    soft_reboot(90min);
    EXPECT_EQ(status().booted->version, "3");
    EXPECT_EQ(check(91min).failed_line(), "");
    EXPECT_FALSE(update::mark_good(site_.settings).proven);
    // What is proven stays to go back to.
    EXPECT_EQ(status().rollback->version, "1");
}

TEST_F(SoftReboot, WhatFailsBehindItIsTriedByTheLoaderAndThenGivenUp) {
    (void)stage();
    soft_reboot();
    const auto failed =
        update::note_failed_boot(site_.settings, "db.sh ended with 1", UpFor(61min));
    EXPECT_EQ(failed.stays, "");
    EXPECT_TRUE(site_.reboot().starts_with("fixture_2-"));
    EXPECT_TRUE(site_.reboot().starts_with("fixture_2-"));
    EXPECT_TRUE(site_.reboot().starts_with("fixture_1-"));
    EXPECT_EQ(status().fallback->reason, "db.sh ended with 1");
}

// One image, two deployments: what failed, and what was installed again since.
TEST_F(SoftReboot, LeadsToTheDeploymentThatWaitsNotToItsTwin) {
    (void)stage();
    (void)update::finalize_at_shutdown(site_.settings);
    while (site_.reboot().starts_with("fixture_2-")) {
    }
    boot_with("run");
    (void)stage();
    const std::string uki = status().staged->uki;
    soft_reboot();
    const auto now = status();
    EXPECT_EQ(now.booted->uki.substr(0, 16), uki.substr(0, 16));
    EXPECT_TRUE(now.booted->uki.ends_with("+2-0.efi")) << now.booted->uki;
    EXPECT_EQ(now.rollback->version, "1");
    EXPECT_FALSE(now.reboot_pending);
    EXPECT_EQ(check().failed_line(), "");
}

TEST_F(SoftReboot, TheDeadlineBeginsWithIt) {
    (void)stage();
    EXPECT_EQ(update::time_to_deadline(site_.settings, UpFor(60min)), 0min);
    soft_reboot(60min);
    EXPECT_EQ(update::time_to_deadline(site_.settings, UpFor(61min)), 14min);
    EXPECT_EQ(update::time_to_deadline(site_.settings, UpFor(75min)), 0min);
    plain_soft_reboot(180min);
    EXPECT_EQ(update::time_to_deadline(site_.settings, UpFor(181min)), 14min);
    // So do updates that wait for this one's health.
    site_.settings.image = Site::image("v3");
    const auto update_at = [&](std::chrono::minutes up) {
        const UpFor clock(up);
        return test::error_name([&] {
            (void)update::make_engine(site_.settings, clock)->update({}, site_.progress, {});
        });
    };
    EXPECT_EQ(update_at(181min), "SlotNotProven");
    EXPECT_EQ(update_at(196min), "no error");
}

TEST_F(SoftReboot, AnEspThatCannotBeReadDoesNotKeepAFailedOneUp) {
    (void)stage();
    soft_reboot();
    site_.settings.esp += "-is-not-mounted";
    EXPECT_EQ(update::note_failed_boot(site_.settings, "no ESP", UpFor(61min)).stays, "");
}

TEST_F(SoftReboot, WhatCannotBeLookedAtIsAnObstacle) {
    (void)stage();
    selinux(site_.etc(*status().booted), "one");
    selinux(site_.etc(*status().staged), "one");
    fs::create_directory(site_.etc(*status().staged) + "/selinux/strict/policy/odd");
    EXPECT_NE(status().soft_reboot_problem, "");
}

/// Each thing in the way of a soft reboot to the image `tag`.
struct Obstacle {
    const char* name;
    const char* tag;
    void (*put)(Site& site);
    const char* problem;
};

class SoftRebootObstacle : public SoftReboot, public testing::WithParamInterface<Obstacle> {};

TEST_P(SoftRebootObstacle, IsNamedAndRespected) {
    (void)stage(GetParam().tag);
    GetParam().put(site_);
    const std::string v1 = digest_of_booted();
    EXPECT_EQ(status().soft_reboot_problem, GetParam().problem);
    site_.dir.write("run/soft/wanted", status().staged->digest);
    const bool ours = fs::exists(site_.dir / "run/booted.json");
    EXPECT_EQ(shut_down(), "");
    EXPECT_EQ(ours ? planned() : v1, v1);
    EXPECT_EQ(digest_of_booted(), v1);
}

INSTANTIATE_TEST_SUITE_P(
    Each,
    SoftRebootObstacle,
    testing::Values(Obstacle{"AnotherInitrd",
                             "v2-rebuilt",
                             [](Site&) {},
                             "its kernel, initrd or kernel command line is another one"},
                    Obstacle{"ARecordOfBefore",
                             "v2",
                             [](Site& site) {
                                 for (const auto& file : fs::directory_iterator(
                                          site.dir / "sysroot/state/cfsupdated/deployments")) {
                                     const std::string name =
                                         "sysroot/state/cfsupdated/deployments/" +
                                         file.path().filename().string();
                                     std::string text = site.dir.read(name);
                                     text.replace(text.find("boot_digest"), 11, "another_key");
                                     site.dir.write(name, text);
                                 }
                             },
                             "its kernel, initrd or kernel command line is another one"},
                    Obstacle{"Locked",
                             "v2",
                             [](Site& site) {
                                 update::UpdateOptions options;
                                 options.image = Site::image("v2");
                                 options.finalize = false;
                                 options.locked = true;
                                 (void)site.engine().update(options, site.progress, {});
                             },
                             "it is locked"},
                    Obstacle{"ATransientEtc",
                             "v2",
                             [](Site& site) {
                                 const std::string text = site.dir.read("run/booted.json");
                                 site.dir.write(
                                     "run/booted.json",
                                     std::string(text).replace(text.find("bind"), 4, "transient"));
                             },
                             "the running /etc is no full copy"},
                    Obstacle{"AnotherInitrdsRoot",
                             "v2",
                             [](Site& site) { fs::remove(site.dir / "run/booted.json"); },
                             "what runs was not mounted by cfs-prepare-root"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_F(SoftReboot, AnotherSelinuxPolicyIsAnObstacle) {
    (void)stage();
    selinux(site_.etc(*status().booted), "one");
    selinux(site_.etc(*status().staged), "one");
    EXPECT_EQ(status().soft_reboot_problem, "");
    fs::remove_all(site_.etc(*status().staged) + "/selinux");
    selinux(site_.etc(*status().staged), "other");
    EXPECT_EQ(status().soft_reboot_problem, "its SELinux policy is another one");
    // The merge keeps what is the machine's own, and that is what the kernel has.
    want();
    EXPECT_EQ(shut_down(), "2");
}

TEST_F(SoftReboot, IsNotOfferedWhereTheMachineHasNone) {
    (void)stage();
    fs::remove_all(site_.dir / "run/soft");
    EXPECT_NE(status().soft_reboot_problem.find("it needs systemd 254"), std::string::npos);
    std::string text;
    EXPECT_EQ(test::error_name([&] { update::want_soft_reboot(site_.settings, "aa"); }, &text),
              "Unsupported");
    EXPECT_NE(text.find("cfsupdated-soft-reboot.service"), std::string::npos);
    EXPECT_EQ(shut_down(), "");
}

}  // namespace
}  // namespace cfs
