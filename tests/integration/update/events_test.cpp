// SPDX-License-Identifier: Apache-2.0
// What monitoring looks for in the journal, as journald gets it.
#include "update/events.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "site.hpp"
#include "support/fake_journal.hpp"
#include "update/health.hpp"
#include "update/shutdown.hpp"
#include "update/state_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cfs {
namespace {

using test::error_name;
using test::FakeJournal;
using test::Site;

/// Version 1 runs, and is proven.
class Events : public testing::Test {
 protected:
    void SetUp() override {
        if (!journal_.works()) GTEST_SKIP() << "needs a mount namespace of its own";
        (void)site_.install();
        (void)journal_.take();
    }

    std::string update(const std::string& tag, bool finalize = true) {
        return error_name([&] { next_ = site_.update_to(Site::image(tag), finalize).deployment; });
    }

    /// Takes what arrived; its MESSAGE_IDs in order, without lines that have none.
    std::vector<std::string> ids() {
        entries_ = journal_.take();
        std::vector<std::string> out;
        for (FakeJournal::Entry& entry : entries_) {
            if (!entry["MESSAGE_ID"].empty()) out.push_back(entry["MESSAGE_ID"]);
        }
        return out;
    }

    /// Of what ids() took the one with this id.
    FakeJournal::Entry entry(const std::string& id) {
        const auto is = [&](const auto& each) { return each.at("MESSAGE_ID") == id; };
        const auto found = std::find_if(entries_.begin(), entries_.end(), is);
        if (found == entries_.end()) throw Error(ErrorCode::NotFound, "no entry " + id);
        return *found;
    }

    FakeJournal journal_;
    Site site_;
    update::DeploymentInfo next_;
    std::vector<FakeJournal::Entry> entries_;
};

using Ids = std::vector<std::string>;

TEST_F(Events, AnUpdateIsStagedAndThenWaitsForAReboot) {
    ASSERT_EQ(update("v2"), "no error");
    ASSERT_EQ(ids(), (Ids{update::kEventStaged, update::kEventRebootPending}));
    for (const char* id : {update::kEventStaged, update::kEventRebootPending}) {
        auto told = entry(id);
        EXPECT_EQ(told["CFSUPDATED_VERSION"], "2");
        EXPECT_EQ(told["CFSUPDATED_DIGEST"], next_.digest);
        EXPECT_EQ(told["PRIORITY"], "6");
        EXPECT_EQ(told.count("CFSUPDATED_REASON"), 0U) << "a field without a value";
    }
    ASSERT_EQ(update("v2"), "no error");
    EXPECT_EQ(ids(), Ids{}) << "it is here already";
}

TEST_F(Events, AStageWaitsForItsFinalize) {
    ASSERT_EQ(update("v2", false), "no error");
    EXPECT_EQ(ids(), Ids{update::kEventStaged});
    (void)site_.engine().finalize(site_.progress, {});
    EXPECT_EQ(ids(), Ids{update::kEventRebootPending});
}

TEST_F(Events, AShutdownTellsWhatItArmed) {
    ASSERT_EQ(update("v2", false), "no error");
    (void)ids();
    (void)update::finalize_at_shutdown(site_.settings);
    EXPECT_EQ(ids(), Ids{update::kEventRebootPending});
}

TEST_F(Events, ARollbackHoldsWhatItLeaves) {
    ASSERT_EQ(update("v2"), "no error");
    (void)site_.reboot();
    (void)update::mark_good(site_.settings);
    (void)ids();
    (void)site_.engine().rollback(site_.progress, {});
    ASSERT_EQ(ids(), (Ids{update::kEventHeld, update::kEventRebootPending}));
    auto held = entry(update::kEventHeld);
    EXPECT_EQ(held["CFSUPDATED_VERSION"], "2");
    EXPECT_EQ(held["CFSUPDATED_DIGEST"], next_.digest);
    EXPECT_EQ(held["CFSUPDATED_REASON"], "rolled-back");
    EXPECT_EQ(entry(update::kEventRebootPending)["CFSUPDATED_VERSION"], "1");
}

TEST_F(Events, ARollbackToWhatRunsNeedsNoReboot) {
    ASSERT_EQ(update("v2"), "no error");
    (void)ids();
    (void)site_.engine().rollback(site_.progress, {});
    EXPECT_EQ(ids(), Ids{update::kEventHeld});
}

TEST_F(Events, AFallbackSaysWhatRunsAndHoldsTheOther) {
    ASSERT_EQ(update("v2"), "no error");
    (void)site_.reboot();
    (void)update::note_failed_boot(site_.settings, "db.sh ended with 1");
    ASSERT_EQ(ids().back(), update::kEventBootFailed);
    EXPECT_EQ(entry(update::kEventBootFailed)["CFSUPDATED_VERSION"], "2");
    EXPECT_EQ(entry(update::kEventBootFailed)["CFSUPDATED_REASON"], "db.sh ended with 1");
    while (site_.reboot().starts_with("fixture_2-")) {
    }
    site_.engine().reconcile();
    ASSERT_EQ(ids(), (Ids{update::kEventHeld, update::kEventFallback}));
    auto fell = entry(update::kEventFallback);
    EXPECT_EQ(fell["CFSUPDATED_VERSION"], "2");
    EXPECT_EQ(fell["CFSUPDATED_DIGEST"], next_.digest);
    EXPECT_EQ(fell["CFSUPDATED_RUNNING_VERSION"], "1");
    EXPECT_EQ(fell["CFSUPDATED_REASON"], "db.sh ended with 1");
    EXPECT_EQ(entry(update::kEventHeld)["CFSUPDATED_REASON"], "failed");
    site_.engine().reconcile();
    EXPECT_EQ(ids(), Ids{}) << "once";
}

TEST_F(Events, AProvenVersionIsNamed) {
    ASSERT_EQ(update("v2"), "no error");
    (void)site_.reboot();
    (void)ids();
    (void)update::mark_good(site_.settings);
    ASSERT_EQ(ids(), Ids{update::kEventProven});
    EXPECT_EQ(entry(update::kEventProven)["CFSUPDATED_VERSION"], "2");
    EXPECT_EQ(entry(update::kEventProven)["CFSUPDATED_DIGEST"], next_.digest);
}

TEST_F(Events, AnUpdateThatFailsSaysWhy) {
    update::UpdateOptions options;
    options.image = Site::image("v2");
    options.expected_digest = std::string(128, '0');
    const auto fail = [&] { (void)site_.engine().update(options, site_.progress, {}); };
    ASSERT_EQ(error_name(fail), "DigestMismatch");
    ASSERT_EQ(ids(), Ids{update::kEventUpdateFailed});
    auto told = entry(update::kEventUpdateFailed);
    EXPECT_EQ(told["CFSUPDATED_ERROR"], "DigestMismatch");
    EXPECT_EQ(told["CFSUPDATED_VERSION"], "2");
    EXPECT_NE(told["CFSUPDATED_REASON"].find("not the expected one"), std::string::npos);
    EXPECT_EQ(told["PRIORITY"], "3");
}

TEST_F(Events, AnUpdateThatWasCancelledDidNotFail) {
    std::stop_source stop;
    stop.request_stop();
    update::UpdateOptions options;
    options.image = Site::image("v2");
    const auto cancelled = [&] {
        (void)site_.engine().update(options, site_.progress, stop.get_token());
    };
    ASSERT_EQ(error_name(cancelled), "Cancelled");
    EXPECT_EQ(ids(), Ids{});
}

TEST_F(Events, AFinalizeThatFailsSaysWhy) {
    ASSERT_EQ(update("v2", false), "no error");
    const UniqueFd root = open_root(site_.settings.sysroot);
    update::StateDir(root.get(), false).hold(*Digest::from_hex(next_.digest), "rolled-back");
    (void)ids();
    const auto finalize = [&] { (void)site_.engine().finalize(site_.progress, {}); };
    ASSERT_EQ(error_name(finalize), "DowngradeRejected");
    ASSERT_EQ(ids(), Ids{update::kEventFinalizeFailed});
    EXPECT_EQ(entry(update::kEventFinalizeFailed)["CFSUPDATED_VERSION"], "2");
    EXPECT_EQ(entry(update::kEventFinalizeFailed)["CFSUPDATED_ERROR"], "DowngradeRejected");
}

TEST_F(Events, AShutdownThatFailsSaysItOnce) {
    ASSERT_EQ(update("v2", false), "no error");
    const UniqueFd root = open_root(site_.settings.sysroot);
    update::StateDir(root.get(), false).hold(*Digest::from_hex(next_.digest), "rolled-back");
    (void)ids();
    const auto finalize = [&] { (void)update::finalize_at_shutdown(site_.settings); };
    ASSERT_EQ(error_name(finalize), "DowngradeRejected");
    ASSERT_EQ(ids(), Ids{update::kEventFinalizeFailed});
    EXPECT_EQ(entry(update::kEventFinalizeFailed)["CFSUPDATED_VERSION"], "2");
}

TEST_F(Events, WhatCameWithAnImageIsOnlyText) {
    update::DeploymentRecord record;
    record.version = "2\nMESSAGE_ID=forged\033[31m";
    update::tell_staged(record);
    ASSERT_EQ(ids(), Ids{update::kEventStaged});
    EXPECT_EQ(entries_.size(), 1U);
    EXPECT_EQ(entries_[0]["CFSUPDATED_VERSION"], "2\\x0aMESSAGE_ID=forged\\x1b[31m");
}

TEST_F(Events, AReasonMayHaveLines) {
    log::event(update::kEventHeld, log::Level::Warn, "text", {{"CFSUPDATED_REASON", "a\nB=c"}});
    ASSERT_EQ(ids(), Ids{update::kEventHeld});
    EXPECT_EQ(entries_[0]["CFSUPDATED_REASON"], "a\nB=c");
    EXPECT_EQ(entries_[0].count("B"), 0U);
}

}  // namespace
}  // namespace cfs
