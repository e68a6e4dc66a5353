// SPDX-License-Identifier: Apache-2.0
// What each verb, a boot and a shutdown leave in the history.
#include "base/error.hpp"
#include "site.hpp"
#include "update/health.hpp"
#include "update/shutdown.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs {
namespace {

using test::Site;
using update::HistoryEntry;

/// "update done 1>2 root": newest first.
std::vector<std::string> told(Site& site) {
    std::vector<std::string> out;
    for (const HistoryEntry& entry : site.engine().status().history) {
        out.push_back(entry.kind + " " + (entry.error.empty() ? entry.result : entry.error) + " " +
                      entry.from.version + ">" + entry.to.version + " " + entry.initiator.kind);
    }
    return out;
}

using Lines = std::vector<std::string>;

TEST(History, TellsOfAnInstallationUpdatesBootsAndARollback) {
    Site site;
    site.install();
    const auto update = site.update("v2");
    site.reboot();
    site.bless();
    (void)update::mark_good(site.settings);
    (void)site.engine().rollback(site.progress, {});
    EXPECT_EQ(told(site),
              (Lines{"rollback done 2>1 root",
                     "proven done >2 boot",
                     "update done 1>2 root",
                     "proven done >1 boot",
                     "install done >1 install"}));
    const auto all = site.engine().status().history;
    EXPECT_EQ(all[2].to.digest, update.deployment.digest);
    EXPECT_EQ(all[2].fetched, update.fetched_bytes);
    EXPECT_EQ(all[2].reused, update.reused_bytes);
    EXPECT_GT(all[2].reused, 0U);
    EXPECT_GT(all[2].time, 1'700'000'000);
}

TEST(History, DoesNotTellOfWhatChangedNothing) {
    Site site;
    site.install();
    site.update("v2");
    const Lines before = told(site);
    EXPECT_EQ(site.update("v2").outcome, update::UpdateOutcome::NothingToDo);
    (void)site.engine().check(Site::image("v3"), site.progress, {});
    (void)site.engine().verify({}, site.progress, {});
    (void)site.engine().collect(true, site.progress, {});
    (void)site.engine().repair({}, site.progress, {});
    EXPECT_EQ(told(site), before);
}

TEST(History, TellsWhatFailedAndWhatItWasAbout) {
    Site site;
    site.install();
    EXPECT_EQ(test::error_name([&] { (void)site.update("other-uki"); }), "DigestMismatch");
    const auto entry = site.engine().status().history.at(0);
    EXPECT_EQ(entry.result, "failed");
    EXPECT_EQ(entry.error, "DigestMismatch");
    EXPECT_NE(entry.message, "");
    EXPECT_EQ(entry.from.version, "1");
    EXPECT_NE(entry.to.digest, "");
    std::stop_source stopped;
    stopped.request_stop();
    EXPECT_EQ(test::error_name([&] {
                  (void)site.engine().update(
                      {Site::image("v2"), true, "", false}, site.progress, stopped.get_token());
              }),
              "Cancelled");
    EXPECT_EQ(site.engine().status().history.at(0).result, "cancelled");
}

TEST(History, TellsAStageAndTheShutdownThatFinishedIt) {
    Site site;
    site.install();
    site.update_to(Site::image("v2"), false);
    (void)update::finalize_at_shutdown(site.settings);
    (void)update::finalize_at_shutdown(site.settings);  // merges again: told already
    const Lines lines = told(site);
    EXPECT_EQ(lines.at(0), "finalize done 1>2 shutdown");
    EXPECT_EQ(lines.at(1), "stage done 1>2 root");
}

TEST(History, TellsAFallbackAndWhy) {
    Site site;
    site.install();
    site.update("v2");
    site.reboot();
    (void)update::note_failed_boot(site.settings, "its disk is on fire");
    site.reboot();
    site.reboot();
    site.engine().reconcile();
    const auto entry = site.engine().status().history.at(0);
    EXPECT_EQ(told(site).at(0), "fallback done 2>1 boot");
    EXPECT_EQ(entry.message, "its disk is on fire");
}

TEST(History, TellsWhatACollectionDropped) {
    Site site;
    site.install();
    for (const char* tag : {"v2", "v3"}) {
        site.update(tag);
        site.reboot();
        site.bless();
    }
    (void)site.engine().collect(false, site.progress, {});
    const auto entry = site.engine().status().history.at(0);
    EXPECT_EQ(entry.kind, "collect");
    EXPECT_EQ(entry.from.version, "3");
    EXPECT_NE(entry.message.find("dropped 1 ("), std::string::npos) << entry.message;
}

TEST(History, ThatCannotBeWrittenOrReadStopsNoVerb) {
    Site site;
    site.install();
    const std::string file = site.settings.sysroot + "/state/cfsupdated/history.jsonl";
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    EXPECT_EQ(site.update("v2").outcome, update::UpdateOutcome::Finalized);
    site.reboot();
    site.bless();
    EXPECT_EQ(site.engine().rollback(site.progress, {}).version, "1");
    const auto status = site.engine().status();
    EXPECT_EQ(status.booted->version, "2");
    EXPECT_TRUE(status.history.empty());
    ASSERT_FALSE(status.warnings.empty());
    EXPECT_NE(status.warnings.back().find("the history: "), std::string::npos)
        << status.warnings.back();
}

}  // namespace
}  // namespace cfs
