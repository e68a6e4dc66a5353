// SPDX-License-Identifier: Apache-2.0
// What the loader would not start by its order: a lower version, another product. Tried once, and
// first in the order when it is proven.
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "site.hpp"
#include "update/health.hpp"
#include "update/state_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace cfs {
namespace {

namespace fs = std::filesystem;
using test::error_name;
using test::Site;
using update::DeploymentState;
using update::UpdateOutcome;

constexpr const char* kOneShot = "efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// Version 2 of the first product runs and is proven; version 1 is kept.
class Switch : public testing::Test {
 protected:
    void SetUp() override {
        site_.install();
        site_.update("v2");
        boot_well();
    }

    update::UpdateResult switch_to(const std::string& reference, bool finalize = true) {
        update::UpdateOptions options;
        options.image = reference;
        options.switching = true;
        options.finalize = finalize;
        return site_.engine().update(options, site_.progress, {});
    }

    update::UpdateResult go_down_to(const std::string& tag) {
        update::UpdateOptions options;
        options.image = Site::image(tag);
        options.downgrade = true;
        return site_.engine().update(options, site_.progress, {});
    }

    /// The daemon reads it when it starts.
    void configure(const std::string& image) {
        site_.settings.image = image;
        (void)site_.reboot();
    }

    /// From the configured image, or where somebody switched to.
    update::UpdateResult update_plainly() { return site_.engine().update({}, site_.progress, {}); }

    /// The tag "zebra" of the site's own layout moves on to the second version.
    void move_tag() const {
        const std::string index = site_.dir / "images/index.json";
        std::ifstream in(index);
        std::string text(std::istreambuf_iterator<char>(in), {});
        text.replace(text.find("\"zebra\""), 7, "\"zebra-old\"");
        text.replace(text.find("\"zebra2\""), 8, "\"zebra\"");
        std::ofstream(index) << text;
    }

    /// As the boot's own verbs do when all is well.
    std::string boot_well() {
        const std::string file = site_.reboot();
        (void)update::mark_good(site_.settings);
        return file;
    }

    [[nodiscard]] std::string one_shot() const {
        std::ifstream in(site_.dir / kOneShot);
        std::string out;
        for (const char c : std::string(std::istreambuf_iterator<char>(in), {})) {
            if (c > ' ') out += c;
        }
        return out;
    }

    update::Status status() { return site_.engine().status(); }

    std::string next() {
        for (const auto& deployment : status().deployments) {
            if (deployment.next) return deployment.title;
        }
        return "";
    }

    std::map<std::string, std::string> held() {
        return update::StateDir(open_root(site_.settings.sysroot).get(), false).held();
    }

    Site site_;
};

TEST_F(Switch, AnotherProductIsStartedOnceByAVariable) {
    const auto before = site_.entries();
    const auto result = switch_to(Site::image("zebra"));
    EXPECT_EQ(result.outcome, UpdateOutcome::Finalized);
    EXPECT_TRUE(result.deployment.trial);
    EXPECT_TRUE(result.deployment.next);
    EXPECT_EQ(result.deployment.problem, "");
    EXPECT_TRUE(one_shot().starts_with("zebra_1-")) << one_shot();
    const auto after = site_.entries();
    EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()))
        << "what boots by its order keeps its name";
    EXPECT_EQ(status().warnings,
              (std::vector<std::string>{"updates come from '" + Site::image("zebra") +
                                        "', by 'cfsctl switch'; configured is '" +
                                        Site::image("v1") + "'"}));
    EXPECT_TRUE(site_.reboot().starts_with("zebra_1-"));
    EXPECT_EQ(status().booted->title, "Fixture 1");
    EXPECT_EQ(next(), "Fixture 2") << "until it is proven";
}

TEST_F(Switch, OnceProvenItComesFirstAndTheOldOneIsTheWayBack) {
    switch_to(Site::image("zebra"));
    boot_well();
    EXPECT_TRUE(status().booted->proven);
    EXPECT_TRUE(status().booted->next);
    EXPECT_FALSE(status().booted->trial);
    ASSERT_TRUE(status().rollback);
    EXPECT_EQ(status().rollback->title, "Fixture 2");
    EXPECT_EQ(status().rollback->state, DeploymentState::Kept);
    EXPECT_EQ(status().rollback->problem, "");
    (void)site_.engine().collect(false, site_.progress, {});
    EXPECT_EQ(status().deployments.size(), 2U) << "version 1 is the third of two";
    EXPECT_TRUE(site_.reboot().starts_with("zebra_1-")) << "and again, by its order";
}

TEST_F(Switch, UpdatesComeFromThereAndAfterARollbackFromWhereTheyCameBefore) {
    const std::string moving = site_.own_image("zebra");
    switch_to(moving);
    boot_well();
    EXPECT_EQ(status().image, moving);
    EXPECT_EQ(update_plainly().outcome, UpdateOutcome::NothingToDo);
    move_tag();
    EXPECT_TRUE(site_.engine().check("", site_.progress, {}).update_available);
    const auto newer = update_plainly();
    EXPECT_EQ(newer.deployment.version, "2");
    EXPECT_FALSE(newer.deployment.trial) << "it comes first by itself";
    EXPECT_TRUE(boot_well().starts_with("zebra_2-"));
    EXPECT_EQ(status().image, moving);
    EXPECT_EQ(site_.engine().rollback(site_.progress, {}).title, "Fixture 1");
    boot_well();
    EXPECT_EQ(status().image, moving);
}

TEST_F(Switch, ARollbackTakesTheOldOriginAndASecondOneTheNew) {
    configure(Site::image("v2"));
    switch_to(Site::image("zebra"));
    boot_well();
    EXPECT_EQ(site_.engine().rollback(site_.progress, {}).title, "Fixture 2");
    EXPECT_TRUE(boot_well().starts_with("fixture_2-"));
    EXPECT_EQ(status().image, Site::image("v2"));
    EXPECT_EQ(status().deployments.at(0).state, DeploymentState::RolledBack);
    // Version 1 of the first product is proven: the second rollback would take that one.
    (void)site_.engine().remove(status().deployments.at(2).uki, site_.progress, {});
    ASSERT_TRUE(status().rollback);
    EXPECT_EQ(status().rollback->image, Site::image("zebra"));
    (void)site_.engine().rollback(site_.progress, {});
    EXPECT_TRUE(boot_well().starts_with("zebra_1-")) << "though the first product sorts before it";
    EXPECT_EQ(status().image, Site::image("zebra"));
    EXPECT_EQ(status().rollback->title, "Fixture 2");
}

TEST_F(Switch, ATrialThatFailsLeavesTheOldOneAndIsHeld) {
    switch_to(Site::image("zebra"));
    EXPECT_TRUE(site_.reboot().starts_with("zebra_1-"));
    EXPECT_TRUE(site_.reboot().starts_with("fixture_2-")) << "one try, whatever its counter says";
    ASSERT_TRUE(status().fallback);
    EXPECT_EQ(status().fallback->version, "1");
    EXPECT_EQ(status().deployments.at(0).state, DeploymentState::Failed);
    EXPECT_TRUE(status().booted->next);
    EXPECT_EQ(status().image, Site::image("v1")) << "updates come from where they came before";
    EXPECT_FALSE(status().reboot_pending);
    EXPECT_TRUE(site_.reboot().starts_with("fixture_2-"));
    // Somebody wants it all the same.
    switch_to(Site::image("zebra"));
    EXPECT_TRUE(boot_well().starts_with("zebra_1-"));
    EXPECT_TRUE(status().booted->next);
}

TEST_F(Switch, ALostVariableIsSetAgain) {
    switch_to(Site::image("zebra"));
    fs::remove(site_.dir / kOneShot);
    EXPECT_NE(status().deployments.at(0).problem.find("LoaderEntryOneShot"), std::string::npos);
    EXPECT_TRUE(site_.reboot().starts_with("fixture_2-"));
    EXPECT_TRUE(status().deployments.at(0).next) << "it was not tried yet";
    EXPECT_TRUE(site_.reboot().starts_with("zebra_1-"));
}

TEST_F(Switch, ARollbackBeforeTheBootEndsIt) {
    switch_to(Site::image("zebra"));
    EXPECT_EQ(site_.engine().rollback(site_.progress, {}).title, "Fixture 2");
    EXPECT_EQ(one_shot(), "");
    EXPECT_EQ(status().image, Site::image("v1"));
    EXPECT_TRUE(site_.reboot().starts_with("fixture_2-"));
    EXPECT_EQ(one_shot(), "") << "nor does the next boot ask for it";
}

TEST_F(Switch, WhatComesFirstAnywayNeedsNoTrial) {
    const auto result = switch_to(Site::image("other"));
    EXPECT_FALSE(result.deployment.trial) << "'another' sorts before 'fixture'";
    EXPECT_TRUE(result.deployment.next);
    EXPECT_EQ(one_shot(), "");
}

TEST_F(Switch, StagedFirstItIsTriedAfterTheNextShutdown) {
    const auto result = switch_to(Site::image("zebra"), false);
    EXPECT_EQ(result.outcome, UpdateOutcome::Staged);
    EXPECT_EQ(one_shot(), "");
    EXPECT_EQ(site_.engine().finalize(site_.progress, {}).outcome, UpdateOutcome::Finalized);
    EXPECT_TRUE(site_.reboot().starts_with("zebra_1-"));
}

TEST_F(Switch, AutomationWaitsForItsFirstBoot) {
    const std::string moving = site_.own_image("zebra");
    switch_to(moving);
    move_tag();
    EXPECT_EQ(update_plainly().outcome, UpdateOutcome::NothingToDo);
    EXPECT_NE(site_.progress.messages.back().find("waits for its first boot"), std::string::npos);
    EXPECT_TRUE(site_.reboot().starts_with("zebra_1-"));
}

TEST_F(Switch, ToWhatRunsChangesOnlyWhereUpdatesComeFrom) {
    const std::string before = site_.snapshot();
    EXPECT_EQ(switch_to(site_.own_image("v2")).outcome, UpdateOutcome::NothingToDo);
    EXPECT_EQ(status().image, site_.own_image("v2"));
    EXPECT_NE(site_.snapshot(), before) << "its record says so";
    EXPECT_EQ(switch_to(Site::image("v1"), false).outcome, UpdateOutcome::Staged)
        << "version 1, which is configured";
}

TEST_F(Switch, BackToTheConfiguredImageIsNoSwitchAnyMore) {
    configure(Site::image("v2"));
    (void)switch_to(site_.own_image("v2"));
    EXPECT_EQ(status().image, site_.own_image("v2"));
    (void)switch_to(Site::image("v2"));
    EXPECT_EQ(status().image, Site::image("v2"));
    EXPECT_EQ(status().warnings, std::vector<std::string>());
}

TEST_F(Switch, IsRefusedBeforeItIsFetchedWhereNoVariableCanBeWritten) {
    fs::remove_all(site_.dir / "efivars");
    const std::string before = site_.snapshot();
    site_.progress.stages.clear();
    std::string text;
    EXPECT_EQ(error_name([&] { switch_to(Site::image("zebra")); }, &text), "Unsupported");
    EXPECT_NE(text.find("efivarfs"), std::string::npos) << text;
    EXPECT_EQ(site_.progress.stages, (std::vector<std::string>{"check", "gate"}))
        << "nothing but the UKI's layer came";
    EXPECT_EQ(site_.snapshot(), before);
}

TEST_F(Switch, IsRefusedWhereAStandingChoiceWouldWinForEver) {
    site_.dir.write("esp/loader/loader.conf", "default fixture_2*\n");
    std::string text;
    EXPECT_EQ(error_name([&] { switch_to(Site::image("zebra")); }, &text), "DowngradeRejected");
    EXPECT_NE(text.find("loader.conf"), std::string::npos) << text;
}

TEST_F(Switch, WithoutAnImageIsRefused) {
    EXPECT_EQ(error_name([&] { switch_to(""); }), "InvalidArgs");
}

TEST_F(Switch, StillNeedsTheVendorsSignature) {
    EXPECT_EQ(error_name([&] { switch_to(Site::image("wrong-key")); }), "SignatureInvalid");
}

TEST_F(Switch, ALowerVersionOnPurpose) {
    EXPECT_EQ(error_name([&] { (void)site_.update("v1"); }), "DowngradeRejected");
    const auto result = go_down_to("v1");
    EXPECT_TRUE(result.deployment.trial);
    EXPECT_EQ(site_.reboot().find("fixture_1-"), 0U);
    EXPECT_FALSE(status().booted->next);
    (void)update::mark_good(site_.settings);
    EXPECT_EQ(status().booted->version, "1");
    EXPECT_TRUE(status().booted->next);
    EXPECT_EQ(held().begin()->second, update::kHeldLeft);
    configure(Site::image("v2"));
    EXPECT_EQ(update_plainly().outcome, UpdateOutcome::NothingToDo)
        << "automation does not undo what somebody did on purpose";
    EXPECT_EQ(site_.engine().rollback(site_.progress, {}).version, "2");
    EXPECT_TRUE(boot_well().starts_with("fixture_2-"));
    EXPECT_TRUE(held().begin()->second == update::kHeldRolledBack) << "the lower one now";
}

TEST_F(Switch, AHigherVersionEndsADowngrade) {
    (void)go_down_to("v1");
    boot_well();
    (void)site_.update("v3");
    EXPECT_TRUE(boot_well().starts_with("fixture_3-"));
    EXPECT_EQ(status().rollback->version, "1");
}

/// Power fails between "proven" and the renames.
TEST_F(Switch, WhatIsProvenTakesItsPlaceAlsoLater) {
    switch_to(Site::image("zebra"));
    (void)site_.reboot();
    const update::StateDir state(open_root(site_.settings.sysroot).get(), false);
    auto records = state.deployments();
    records.at(0).proven = true;
    state.save(records.at(0));
    EXPECT_TRUE(site_.reboot().starts_with("fixture_2-"));
    EXPECT_EQ(next(), "Fixture 1") << "the switch that was proven goes on";
    EXPECT_TRUE(site_.reboot().starts_with("zebra_1-"));
}

}  // namespace
}  // namespace cfs
