// SPDX-License-Identifier: Apache-2.0
// An ESP without room for one more UKI, a store without room for one more image: older versions
// give theirs, as far as they may.
#include "base/error.hpp"
#include "crash/crash_site.hpp"
#include "small_disk.hpp"
#include "update/health.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>

namespace cfs {
namespace {

using test::CrashSite;
using test::Ended;
using test::error_name;
using test::run_process;
using test::SmallDisk;

using Strings = std::vector<std::string>;

class TightEsp : public testing::Test {
 protected:
    void SetUp() override {
        if (!can_mount_) GTEST_SKIP() << why_;
    }

    void open(const char* machine) {
        crash_ = std::make_unique<CrashSite>(std::string(CFS_MACHINES) + "/" + machine);
        // What space_needed() adds to a UKI: a reserve of 1 MiB and two clusters.
        crash_->site.settings.boot.esp_reserve = 0;
        site().engine().reconcile();
    }

    [[nodiscard]] std::uint64_t uki_bytes() const {
        std::uint64_t most = 0;
        for (const auto& entry :
             std::filesystem::directory_iterator(site().settings.esp + "/EFI/Linux"))
            most = std::max<std::uint64_t>(most, entry.file_size());
        return most;
    }

    /// Room for the reserve and five clusters: a UKI more does not fit, another instead of one
    /// does, also by the size of its layer, which is a little larger.
    void fill_esp() {
        disk_ = std::make_unique<SmallDisk>(site().settings.esp);
        disk_->leave_free((std::uint64_t{1} << 20) + 5 * 4096);
    }

    std::string update(const std::string& tag) {
        return error_name([&] { (void)site().update(tag); }, &text_);
    }

    /// Newest first.
    Strings versions() {
        Strings out;
        for (const auto& deployment : site().engine().status().deployments)
            out.push_back(deployment.version);
        return out;
    }

    void expect_refused(const std::string& tag) {
        const std::string before = site().snapshot();
        site().progress.last_done = 0;
        EXPECT_EQ(update(tag), "EspFull") << text_;
        EXPECT_EQ(site().snapshot(), before);
        EXPECT_EQ(site().progress.last_done, 0U) << "before the first byte";
        EXPECT_NE(text_.find("needed are"), std::string::npos) << text_;
        EXPECT_EQ(crash_->unsound(), "");
    }

    [[nodiscard]] test::Site& site() const { return crash_->site; }

 private:
    // First: descriptors opened before it would not see what is mounted later.
    std::string why_;
    bool can_mount_ = test::enter_mount_namespace(why_);

 protected:
    std::unique_ptr<CrashSite> crash_;
    std::unique_ptr<SmallDisk> disk_;
    std::string text_;
};

TEST_F(TightEsp, TheOldestVersionGivesItsRoomToTheNewOne) {
    open("updated");
    fill_esp();
    crash_->guard({"2"});
    EXPECT_EQ(update("v3"), "no error") << text_;
    EXPECT_EQ(crash_->unsound(), "");
    EXPECT_EQ(versions(), (Strings{"3", "2"}));
    EXPECT_EQ(site().entries().size(), 2U);
    EXPECT_EQ(site().engine().status().history.at(0).message.substr(0, 30),
              "dropped for room: 1 (fixture_1");
    (void)site().reboot();
    EXPECT_EQ(site().engine().status().booted.value().version, "3");
    EXPECT_EQ(site().engine().rollback(site().progress, {}).version, "2");
}

TEST_F(TightEsp, NoMoreGoThanAreInTheWay) {
    open("surplus");
    fill_esp();
    // What a collection would drop goes first: version 3, which the rollback left.
    (void)site().engine().rollback(site().progress, {});
    (void)site().reboot();
    EXPECT_EQ(versions(), (Strings{"3", "2", "1"}));
    EXPECT_EQ(update("v2-rebuilt"), "no error") << text_;
    EXPECT_EQ(versions(), (Strings{"2", "2", "1"}));
    EXPECT_EQ(site().entries().size(), 3U);
    EXPECT_EQ(crash_->unsound(), "");
}

TEST_F(TightEsp, NothingGoesWhereThereIsRoom) {
    open("surplus");
    (void)site().engine().rollback(site().progress, {});
    (void)site().reboot();
    EXPECT_EQ(update("v2-rebuilt"), "no error") << text_;
    EXPECT_EQ(versions().size(), 4U);
}

TEST_F(TightEsp, APinnedVersionIsNotInTheWay) {
    open("updated");
    fill_esp();
    (void)site().engine().pin({"1", true}, site().progress, {});
    expect_refused("v3");
    EXPECT_NE(text_.find("version 1 (fixture_1-"), std::string::npos) << text_;
    EXPECT_NE(text_.find("it is pinned"), std::string::npos) << text_;
    EXPECT_NE(text_.find("cfsctl unpin"), std::string::npos) << text_;
    EXPECT_EQ(versions(), (Strings{"2", "1"}));
}

TEST_F(TightEsp, TheLastProvenVersionIsNotInTheWay) {
    open("installed");
    (void)site().update("v2");
    (void)site().reboot();
    fill_esp();
    expect_refused("v3");
    EXPECT_NE(text_.find("no other one is proven"), std::string::npos) << text_;
    site().bless();
    (void)update::mark_good(site().settings);
    EXPECT_EQ(update("v3"), "no error") << text_;
    EXPECT_EQ(versions(), (Strings{"3", "2"}));
}

TEST_F(TightEsp, WhatIsNotEnoughWithAllOfThemIsRefusedAndDropsNone) {
    open("updated");
    disk_ = std::make_unique<SmallDisk>(site().settings.esp);
    disk_->leave_free(uki_bytes() / 2);
    expect_refused("v3");
    EXPECT_NE(text_.find("would go, and is not enough"), std::string::npos) << text_;
    EXPECT_EQ(versions(), (Strings{"2", "1"}));
}

/// Version 2 waits in a kept slot with an /etc of its own, and comes again.
TEST_F(TightEsp, AKeptSlotsEtcIsNotLostToItsOwnImage) {
    open("returned");
    fill_esp();
    expect_refused("v2");
    EXPECT_NE(text_.find("shares its /etc"), std::string::npos) << text_;
}

TEST_F(TightEsp, ARefusedImageDropsNone) {
    open("updated");
    fill_esp();
    const std::string before = site().snapshot();
    EXPECT_EQ(update("wrong-key"), "SignatureInvalid") << text_;
    EXPECT_EQ(update("other-uki"), "DigestMismatch") << text_;
    EXPECT_EQ(site().snapshot(), before);
}

TEST_F(TightEsp, ACheckKnowsWhatAnUpdateCanDo) {
    open("updated");
    fill_esp();
    const auto check = [&] {
        EXPECT_TRUE(
            site().engine().check(test::Site::image("v3"), site().progress, {}).update_available);
    };
    EXPECT_EQ(error_name(check, &text_), "no error") << text_;
    EXPECT_EQ(versions(), (Strings{"2", "1"}));
}

/// Each point between the first thing that goes and the last that comes.
TEST_F(TightEsp, ACrashLeavesOldOrNew) {
    open("updated");
    fill_esp();
    const auto drive = [&](const std::string& variable) {
        return run_process(crash_->command(CFS_DRIVE, "tight-update", "v3"), {variable});
    };
    const std::set<std::string> points = {"update.drop-recorded",
                                          "esp.removed",
                                          "update.state-dropped",
                                          "update.unpinned",
                                          "update.recorded",
                                          "esp.before-copy",
                                          "esp.copied",
                                          "update.staged",
                                          "update.before-arm",
                                          "esp.armed"};
    for (const std::string& point : points) {
        SCOPED_TRACE(point);
        disk_.reset();
        open("updated");
        fill_esp();
        crash_->guard({"2"});
        const Ended ended = drive("CFS_CRASH_POINT=" + point);
        ASSERT_EQ(ended.signal, SIGKILL) << ended.output;
        EXPECT_EQ(crash_->harm(), "");
        site().engine().reconcile();
        EXPECT_EQ(crash_->unsound(), "");
        const Ended again = drive("UNUSED=");
        EXPECT_EQ(again.code, 0) << again.output;
        EXPECT_EQ(crash_->unsound(), "");
        EXPECT_EQ(versions(), (Strings{"3", "2"}));
    }
}

/// Version 2 runs; one with 12 MB of its own is kept beside it.
class TightStore : public TightEsp {
 protected:
    static constexpr std::uint64_t kTooLittle = 280 << 10;  ///< for one more

    void open_with_big() {
        open("empty");
        site().install("v2-big");
        (void)site().update("v2");
        (void)site().reboot();
        site().bless();
        site().engine().reconcile();
        big_ = site().engine().status().deployments.at(1).uki;
    }

    void fill_store(std::uint64_t left) {
        disk_ = std::make_unique<SmallDisk>(site().settings.sysroot);
        disk_->leave_free(left);
    }

    std::string big_;  ///< the kept one's UKI
};

TEST_F(TightStore, AKeptVersionGivesItsRoomToTheNewOne) {
    open_with_big();
    fill_store(kTooLittle);
    EXPECT_EQ(update("v3"), "no error") << text_;
    EXPECT_EQ(crash_->unsound(), "");
    EXPECT_EQ(versions(), (Strings{"3", "2"}));
    (void)site().reboot();
    EXPECT_EQ(site().engine().status().booted.value().version, "3");
}

TEST_F(TightStore, APinnedVersionIsNotInTheWay) {
    open_with_big();
    (void)site().engine().pin({big_, true}, site().progress, {});
    fill_store(kTooLittle);
    EXPECT_EQ(update("v3"), "NoSpace") << text_;
    EXPECT_EQ(versions(), (Strings{"2", "2"}));
    EXPECT_EQ(crash_->unsound(), "");
}

/// Its layers are small as they come, and what they unpack to may be here already: that it does not
/// fit shows in the middle.
TEST_F(TightStore, AKeptVersionGoesWhenTheNewOneTurnsOutNotToFit) {
    open_with_big();
    fill_store(4 << 20);
    EXPECT_EQ(update("v3-squeezed"), "no error") << text_;
    EXPECT_EQ(crash_->unsound(), "");
    EXPECT_EQ(versions(), (Strings{"3", "2"}));
}

TEST_F(TightStore, WhatTurnsOutNotToFitBesidesAPinnedVersionLeavesNothing) {
    open_with_big();
    (void)site().engine().pin({big_, true}, site().progress, {});
    fill_store(4 << 20);
    EXPECT_EQ(update("v3-squeezed"), "NoSpace") << text_;
    EXPECT_EQ(crash_->unsound(), "");
    EXPECT_EQ(versions(), (Strings{"2", "2"}));
    EXPECT_EQ(site().engine().rollback(site().progress, {}).uki, big_);
}

/// Its UKI is the vendor's, its layers are another build's, as a registry may put it: sizes, and a
/// layer that unpacks to too much, are no reason to let a version go.
TEST_F(TightStore, NothingGoesForAnImageThatIsNotWhatItsUkiNames) {
    open_with_big();
    for (const std::uint64_t left : {kTooLittle, std::uint64_t{4} << 20}) {
        SCOPED_TRACE(left);
        fill_store(left);
        EXPECT_EQ(update("v3-stuffed"), "DigestMismatch") << text_;
        EXPECT_EQ(crash_->unsound(), "");
        EXPECT_EQ(versions(), (Strings{"2", "2"}));
        disk_.reset();
    }
    EXPECT_EQ(site().engine().rollback(site().progress, {}).uki, big_);
}

TEST_F(TightStore, NothingGoesWhereThereIsRoom) {
    open_with_big();
    fill_store(2 << 20);
    EXPECT_EQ(update("v3"), "no error") << text_;
    EXPECT_EQ(versions(), (Strings{"3", "2", "2"}));
}

TEST_F(TightStore, WhatIsNotEnoughWithAllOfThemIsRefusedAndDropsNone) {
    open("updated");
    fill_store(1 << 20);
    const std::string before = site().snapshot();
    site().progress.last_done = 0;
    EXPECT_EQ(update("v2-big"), "NoSpace") << text_;
    EXPECT_NE(text_.find("letting older versions go would bring"), std::string::npos) << text_;
    EXPECT_LT(site().progress.last_done, std::uint64_t{1} << 20) << "the UKI's layer at most";
    EXPECT_EQ(site().snapshot(), before);
}

TEST_F(TightStore, AStateOnADiskOfItsOwnIsPlannedForToo) {
    open("updated");
    SmallDisk state(site().settings.sysroot + "/state");
    state.leave_free(64 << 10);
    site().progress.last_done = 0;
    const std::string before = site().snapshot();
    EXPECT_EQ(update("v3"), "NoSpace") << text_;
    EXPECT_NE(text_.find("/state' lies"), std::string::npos) << text_;
    EXPECT_EQ(std::count(site().progress.stages.begin(), site().progress.stages.end(), "fetch"), 0);
    EXPECT_EQ(site().snapshot(), before);
    state.leave_free(4 << 20);
    EXPECT_EQ(update("v3"), "no error") << text_;
    EXPECT_EQ(crash_->unsound(), "");
}

TEST_F(TightStore, WhatNobodyNeedsGoesFirst) {
    open("updated");
    site().update_to(test::Site::image("v2-big"), false);
    (void)site().update_to(test::Site::image("v2-conflict"), false);  // in its place
    EXPECT_EQ(site().engine().status().staged.value().version, "2");
    fill_store(kTooLittle);
    EXPECT_EQ(update("v3"), "no error") << text_;
    EXPECT_EQ(versions(), (Strings{"3", "2", "1"}));
    EXPECT_EQ(crash_->unsound(), "");
}

TEST_F(TightStore, ACrashLeavesOldOrNew) {
    for (const char* point : {"update.drop-recorded",
                              "esp.removed",
                              "update.state-dropped",
                              "update.unpinned",
                              "store.gc-links-pruned",
                              "store.gc-objects-removed"}) {
        SCOPED_TRACE(point);
        disk_.reset();
        open_with_big();
        fill_store(kTooLittle);
        const std::string runs = site().engine().status().booted.value().uki;
        const auto drive = [&](const std::string& variable) {
            return run_process(crash_->command(CFS_DRIVE, "update", "v3"), {variable});
        };
        const Ended ended = drive(std::string("CFS_CRASH_POINT=") + point);
        ASSERT_EQ(ended.signal, SIGKILL) << ended.output;
        site().engine().reconcile();
        EXPECT_EQ(crash_->unsound(), "");
        EXPECT_EQ(site().engine().status().booted.value().uki, runs);
        const Ended again = drive("UNUSED=");
        EXPECT_EQ(again.code, 0) << again.output;
        EXPECT_EQ(crash_->unsound(), "");
        EXPECT_EQ(versions(), (Strings{"3", "2"}));
    }
}

}  // namespace
}  // namespace cfs
