// SPDX-License-Identifier: Apache-2.0
#include "service/rate_meter.hpp"

#include <gtest/gtest.h>

namespace cfs::service {
namespace {

using namespace std::chrono_literals;

class Meter : public testing::Test {
 protected:
    /// So many bytes more in four notes a second.
    void run(std::chrono::seconds seconds, std::uint64_t bytes_per_second) {
        for (auto past = 0ms; past < seconds; past += 250ms) {
            now_ += 250ms;
            progress_.done += bytes_per_second / 4;
            meter_.note(progress_, now_);
        }
    }

    void SetUp() override {
        progress_.stage = "fetch";
        progress_.total = 1'000'000;
        meter_.note(progress_, now_);
    }

    RateMeter::Time now_{};
    Progress progress_;
    RateMeter meter_;
};

TEST_F(Meter, ASteadyRateIsThatRate) {
    run(10s, 40'000);
    EXPECT_NEAR(static_cast<double>(meter_.rate()), 40'000, 1);
    EXPECT_EQ(meter_.seconds_left(), 15U);  // 600 000 bytes are left
}

TEST_F(Meter, SaysNothingInTheFirstSecond) {
    now_ += 500ms;
    progress_.done = 100'000;
    meter_.note(progress_, now_);
    EXPECT_EQ(meter_.rate(), 0U);
    EXPECT_EQ(meter_.seconds_left(), 0U);
}

TEST_F(Meter, FollowsANewRateInSomeSeconds) {
    run(10s, 40'000);
    run(20s, 4'000);
    EXPECT_NEAR(static_cast<double>(meter_.rate()), 4'000, 1'000);
}

TEST_F(Meter, AStandstillIsNoTimeLeft) {
    run(2s, 40'000);
    run(120s, 0);
    EXPECT_EQ(meter_.rate(), 0U);
    EXPECT_EQ(meter_.seconds_left(), 0U);
}

TEST_F(Meter, ANewStageBeginsAnew) {
    run(10s, 40'000);
    progress_ = {"verify", 0, 500, 0, ""};
    meter_.note(progress_, now_ += 250ms);
    EXPECT_EQ(meter_.rate(), 0U);
    run(2s, 100);
    EXPECT_NEAR(static_cast<double>(meter_.rate()), 100, 5);
}

TEST_F(Meter, NothingIsLeftOfAnUnknownTotalOrAtTheEnd) {
    progress_.total = 0;
    run(2s, 40'000);
    EXPECT_EQ(meter_.seconds_left(), 0U);
    progress_.total = progress_.done;
    meter_.note(progress_, now_ += 250ms);
    EXPECT_EQ(meter_.seconds_left(), 0U);
}

TEST_F(Meter, TheSameMomentTwiceIsNoDivision) {
    run(2s, 40'000);
    const std::uint64_t before = meter_.rate();
    progress_.done += 1'000'000'000;
    meter_.note(progress_, now_);
    EXPECT_EQ(meter_.rate(), before);
}

}  // namespace
}  // namespace cfs::service
