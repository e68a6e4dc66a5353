// SPDX-License-Identifier: Apache-2.0
// Deployments that a person keeps, and those that a person drops.
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "image/erofs_reader.hpp"
#include "site.hpp"
#include "store/fsck.hpp"
#include "update/health.hpp"

#include <gtest/gtest.h>

#include <sys/file.h>

#include <filesystem>

namespace cfs {
namespace {

using test::error_name;
using test::Site;

class Keep : public testing::Test {
 protected:
    void boot_into(const std::string& tag) {
        (void)site_.update(tag);
        (void)site_.reboot();
        site_.bless();
    }

    /// Versions 3, 2 and 1, each proven; the first runs.
    void install_three() {
        site_.install();
        boot_into("v2");
        boot_into("v3");
        site_.engine().reconcile();
    }

    bool pin(const std::string& name, bool pinned = true) {
        return site_.engine().pin({name, pinned}, site_.progress, {}).changed;
    }

    update::CollectResult remove(const std::string& name) {
        return site_.engine().remove(name, site_.progress, {});
    }

    /// Newest first.
    std::vector<std::string> versions() {
        std::vector<std::string> out;
        for (const auto& deployment : site_.engine().status().deployments)
            out.push_back(deployment.version);
        return out;
    }

    std::size_t collect() {
        return site_.engine().collect(false, site_.progress, {}).deployments.size();
    }

    void expect_clean() {
        const auto store = store::Repository::open(site_.settings.sysroot + "/composefs",
                                                   store::VerityPolicy::Try);
        const auto report = store::fsck(*store, image::erofs_objects, false);
        EXPECT_TRUE(report.clean) << (report.findings.empty() ? "" : report.findings[0].problem);
    }

    /// How removing `name` is refused; nothing may have changed.
    std::string refusal(const std::string& name) {
        const std::string before = site_.snapshot();
        const std::string error = error_name([&] { (void)remove(name); }, &text_);
        EXPECT_EQ(site_.snapshot(), before);
        EXPECT_EQ(text_.find("\n\n"), std::string::npos) << "no hint: " << text_;
        return error;
    }

    Site site_;
    std::string text_;  ///< message, hint
};

using Strings = std::vector<std::string>;

TEST_F(Keep, APinnedDeploymentIsNotCollected) {
    install_three();
    EXPECT_TRUE(pin("1"));
    EXPECT_FALSE(pin("1"));
    EXPECT_TRUE(site_.engine().status().deployments.at(2).pinned);
    EXPECT_EQ(collect(), 0U);
    EXPECT_EQ(versions(), (Strings{"3", "2", "1"}));
    EXPECT_TRUE(pin("1", false));
    EXPECT_FALSE(pin("1", false));
    EXPECT_EQ(collect(), 1U);
    EXPECT_EQ(versions(), (Strings{"3", "2"}));
    expect_clean();
}

/// Two are kept: what runs and the way back. That what runs is pinned leaves it one of the two.
TEST_F(Keep, WhatRunsCountsAlsoWhenItIsPinned) {
    install_three();
    EXPECT_TRUE(pin("booted"));
    EXPECT_EQ(collect(), 1U);
    EXPECT_EQ(versions(), (Strings{"3", "2"}));
}

TEST_F(Keep, APinnedOneThatIsHeldStays) {
    install_three();
    (void)site_.engine().rollback(site_.progress, {});
    (void)site_.reboot();
    EXPECT_TRUE(pin("3"));
    (void)collect();
    EXPECT_EQ(versions().front(), "3");
    EXPECT_EQ(site_.engine().status().deployments.front().state,
              update::DeploymentState::RolledBack);
}

TEST_F(Keep, APinIsAskedForExactlyOneThatRan) {
    site_.install();
    EXPECT_EQ(error_name([&] { (void)pin(""); }, &text_), "InvalidArgs") << text_;
    EXPECT_EQ(error_name([&] { (void)pin("7"); }, &text_), "NotFound") << text_;
    site_.update_to(Site::image("v2"), false);
    EXPECT_EQ(error_name([&] { (void)pin("2"); }, &text_), "SlotNotProven") << text_;
    (void)site_.engine().finalize(site_.progress, {});
    EXPECT_EQ(error_name([&] { (void)pin("staged"); }, &text_), "SlotNotProven") << text_;
    (void)site_.reboot();
    site_.bless();
    EXPECT_TRUE(pin("2"));
    // The same version once more: twins.
    (void)site_.engine().rollback(site_.progress, {});
    (void)site_.reboot();
    (void)site_.update("v2");
    (void)site_.reboot();
    site_.engine().reconcile();
    EXPECT_EQ(versions(), (Strings{"2", "2", "1"}));
    EXPECT_EQ(error_name([&] { (void)pin("2", false); }, &text_), "InvalidArgs") << text_;
    EXPECT_NE(text_.find("2 deployments: 2 (fixture_2-"), std::string::npos) << text_;
    EXPECT_EQ(error_name([&] { (void)remove("2"); }), "InvalidArgs");
    EXPECT_EQ(versions(), (Strings{"2", "2", "1"}));
}

TEST_F(Keep, RemoveDropsOneWithAllThatOnlyItNeeded) {
    install_three();
    const auto first = site_.engine().status().deployments.at(2);
    const auto removed = remove("1");
    EXPECT_EQ(removed.deployments.size(), 1U);
    EXPECT_GT(removed.objects, 0U);
    EXPECT_TRUE(removed.warnings.empty()) << removed.warnings[0];
    EXPECT_EQ(versions(), (Strings{"3", "2"}));
    EXPECT_EQ(site_.entries().size(), 2U);
    EXPECT_FALSE(std::filesystem::exists(site_.etc(first)));
    expect_clean();
    EXPECT_EQ(collect(), 0U);
    const auto told = site_.engine().status().history.at(0);
    EXPECT_EQ(told.kind + told.result + told.to.version, "removedone1");
    EXPECT_EQ(refusal("1"), "NotFound");
    EXPECT_EQ(site_.engine().rollback(site_.progress, {}).version, "2");
}

TEST_F(Keep, WhatIsNeededIsNotRemoved) {
    install_three();
    EXPECT_EQ(refusal("booted"), "Busy") << text_;
    EXPECT_NE(text_.find("(fixture_3-"), std::string::npos) << text_;
    EXPECT_TRUE(pin("2"));
    EXPECT_EQ(refusal("2"), "Busy") << text_;
    EXPECT_NE(text_.find("'cfsctl unpin'"), std::string::npos) << text_;
    EXPECT_EQ(refusal(""), "InvalidArgs") << text_;
    (void)site_.engine().rollback(site_.progress, {});
    EXPECT_TRUE(pin("2", false));
    EXPECT_EQ(refusal("2"), "Busy") << text_;
    EXPECT_NE(text_.find("starts next"), std::string::npos) << text_;
    EXPECT_EQ(refusal("3"), "Busy") << text_;
}

TEST_F(Keep, WhatWaitsIsNotRemoved) {
    site_.install();
    site_.update_to(Site::image("v2"), false);
    EXPECT_EQ(refusal("2"), "Busy") << text_;
    EXPECT_NE(text_.find("is staged"), std::string::npos) << text_;
    (void)site_.engine().finalize(site_.progress, {});
    EXPECT_EQ(refusal("2"), "Busy") << text_;
    EXPECT_NE(text_.find("starts next"), std::string::npos) << text_;
}

TEST_F(Keep, TheLastProvenOneIsNotRemoved) {
    site_.install();
    (void)site_.update("v2");
    (void)site_.reboot();
    EXPECT_EQ(refusal("1"), "SlotNotProven") << text_;
    site_.bless();
    (void)update::mark_good(site_.settings);
    EXPECT_EQ(remove("1").deployments.size(), 1U);
    EXPECT_EQ(versions(), (Strings{"2"}));
    EXPECT_EQ(error_name([&] { (void)site_.engine().rollback(site_.progress, {}); }), "NotFound");
}

TEST_F(Keep, NothingIsRemovedWhileItIsUnknownWhatRuns) {
    install_three();
    site_.dir.write("cmdline", "quiet\n");
    EXPECT_EQ(refusal("1"), "NotFound") << text_;
}

TEST_F(Keep, AStoreInUseFreesItsSpaceLater) {
    install_three();
    site_.settings.store.lock_timeout = std::chrono::milliseconds(50);
    {
        const UniqueFd other = open_root(site_.settings.sysroot + "/composefs");
        ASSERT_EQ(::flock(other.get(), LOCK_SH), 0);
        const auto engine = update::make_engine(site_.settings);
        const auto removed = engine->remove("1", site_.progress, {});
        ASSERT_EQ(removed.warnings.size(), 1U);
        EXPECT_NE(removed.warnings[0].find("'cfsctl gc'"), std::string::npos)
            << removed.warnings[0];
        EXPECT_EQ(removed.objects, 0U);
    }
    EXPECT_EQ(versions(), (Strings{"3", "2"}));
    EXPECT_GT(site_.engine().collect(false, site_.progress, {}).objects, 0U);
    expect_clean();
}

}  // namespace
}  // namespace cfs
