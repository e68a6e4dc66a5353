// SPDX-License-Identifier: Apache-2.0
// What monitoring counts, on a machine with real images.
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "site.hpp"
#include "update/state_dir.hpp"

#include <gtest/gtest.h>

namespace cfs {
namespace {

using test::error_name;
using test::Site;

class At final : public Clock {
 public:
    std::int64_t seconds = 1'700'000'000;

    [[nodiscard]] std::chrono::system_clock::time_point now() const override {
        return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
    }

    [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return {}; }
};

class Counting : public testing::Test {
 protected:
    void SetUp() override {
        (void)site_.install();
        site_.settings.image = Site::image("v2");
        engine_ = update::make_engine(site_.settings, clock_);
    }

    update::Counters now() { return engine_->status().counters; }

    std::string check(const std::string& image = {}) {
        return error_name([&] { (void)engine_->check(image, site_.progress, {}); });
    }

    Site site_;
    At clock_;
    std::unique_ptr<update::Engine> engine_;
};

TEST_F(Counting, ChecksCountByTheirEnd) {
    EXPECT_EQ(now().last_check, 0);
    EXPECT_EQ(check(), "no error");
    EXPECT_EQ(now().last_check, 1'700'000'000);
    EXPECT_EQ(now().last_success, 1'700'000'000);
    clock_.seconds += 60;
    EXPECT_EQ(check(Site::image("nothing-of-that-name")), "NotFound");
    EXPECT_EQ(now().last_check, 1'700'000'060);
    EXPECT_EQ(now().last_success, 1'700'000'000);
    EXPECT_EQ(now().failures, (std::map<std::string, std::uint64_t>{{"NotFound", 1}}));
}

TEST_F(Counting, BytesAddUpAcrossUpdatesAndDaemons) {
    const update::Counters before = now();
    EXPECT_GT(before.fetched, 0U) << "the installation's";
    const auto first = engine_->update({}, site_.progress, {});
    EXPECT_GT(first.fetched_bytes, 0U);
    EXPECT_EQ(now().fetched, before.fetched + first.fetched_bytes);
    EXPECT_EQ(now().reused, before.reused + first.reused_bytes);
    site_.settings.image = Site::image("v3");
    engine_ = update::make_engine(site_.settings, clock_);
    EXPECT_EQ(now().fetched, before.fetched + first.fetched_bytes);
    const auto second = engine_->update({}, site_.progress, {});
    EXPECT_EQ(now().fetched, before.fetched + first.fetched_bytes + second.fetched_bytes);
    EXPECT_EQ(now().last_success, 1'700'000'000);
}

TEST_F(Counting, WhatIsCancelledDidNotFail) {
    std::stop_source stop;
    stop.request_stop();
    const auto cancelled = [&] { (void)engine_->update({}, site_.progress, stop.get_token()); };
    EXPECT_EQ(error_name(cancelled), "Cancelled");
    EXPECT_TRUE(now().failures.empty());
    EXPECT_EQ(now().last_success, 0);
}

TEST_F(Counting, ARollbackIsNoCheck) {
    EXPECT_EQ(error_name([&] { (void)engine_->rollback(site_.progress, {}); }), "NotFound");
    EXPECT_EQ(now().last_check, 0);
    EXPECT_EQ(now().failures.at("NotFound"), 1U);
}

TEST_F(Counting, DamagedBeginsAgainAndStopsNothing) {
    EXPECT_EQ(check(), "no error");
    site_.dir.write("sysroot/state/cfsupdated/counters.json", "garbage");
    EXPECT_EQ(now().last_check, 0);
    EXPECT_EQ(check(), "no error");
    EXPECT_EQ(now().last_check, 1'700'000'000);
    site_.dir.write("sysroot/state/cfsupdated/counters.json",
                    R"({"fetched":-5,"reused":"x","failures":[1],"last_check":1e300})");
    EXPECT_EQ(now().fetched, 0U);
    EXPECT_EQ(check(), "no error");
}

}  // namespace
}  // namespace cfs
