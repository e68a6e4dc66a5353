// SPDX-License-Identifier: Apache-2.0
#include "client/output/progress_bar.hpp"

#include "client/output/human.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Progress half() {
    Progress progress;
    progress.stage = "fetch";
    progress.done = 50 << 20;
    progress.total = 100 << 20;
    progress.rate = 10 << 20;
    return progress;
}

TEST(ProgressBar, ShowsStagePercentBytesRateAndTimeLeft) {
    EXPECT_EQ(render_progress(half(), 79),
              "fetch     [##########----------]  50%  50.0 MiB/100.0 MiB  10.0 MiB/s  ETA 0:05");
}

TEST(ProgressBar, TimeLeftIsLeftOutWhileTheRateIsUnknown) {
    Progress progress = half();
    progress.rate = 0;
    const std::string line = render_progress(progress, 79);
    EXPECT_EQ(line.find("ETA"), std::string::npos);
    EXPECT_EQ(line.find("/s"), std::string::npos);
}

TEST(ProgressBar, AStageWithoutBytesIsDescribed) {
    Progress progress;
    progress.stage = "compose";
    EXPECT_EQ(render_progress(progress, 79), "compose   composing the image");
}

TEST(ProgressBar, MoreThanAllIsAll) {
    Progress progress = half();
    progress.done = progress.total * 2;
    EXPECT_NE(render_progress(progress, 79).find("100%"), std::string::npos);
}

class ProgressWidth : public testing::TestWithParam<std::size_t> {};

TEST_P(ProgressWidth, TheLineFits) {
    Progress progress = half();
    progress.done = (std::uint64_t{1} << 40) - 1;
    progress.total = std::uint64_t{1023} << 40;
    EXPECT_LE(columns(render_progress(progress, GetParam())), GetParam());
    progress.total = 0;
    EXPECT_LE(columns(render_progress(progress, GetParam())), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Columns, ProgressWidth, testing::Values(1, 10, 20, 40, 60, 79, 200));

TEST(RateMeter, IsUnknownAtFirst) {
    RateMeter meter;
    EXPECT_EQ(meter.rate(), 0U);
    meter.add(1000, RateMeter::Time(seconds(10)));
    EXPECT_EQ(meter.rate(), 0U);
    meter.add(2000, RateMeter::Time(seconds(10) + milliseconds(100)));
    EXPECT_EQ(meter.rate(), 0U);
}

TEST(RateMeter, IsBytesPerSecond) {
    RateMeter meter;
    meter.add(0, RateMeter::Time(seconds(0)));
    meter.add(3000, RateMeter::Time(seconds(2)));
    EXPECT_EQ(meter.rate(), 1500U);
}

TEST(RateMeter, ForgetsWhatIsLongAgo) {
    RateMeter meter;
    for (int i = 0; i <= 10; ++i)
        meter.add(0, RateMeter::Time(seconds(i)));
    for (int i = 11; i <= 30; ++i) {
        meter.add(static_cast<std::uint64_t>(i - 10) * 100, RateMeter::Time(seconds(i)));
    }
    EXPECT_EQ(meter.rate(), 100U);
}

TEST(RateMeter, GoingBackStartsAnew) {
    RateMeter meter;
    meter.add(5000, RateMeter::Time(seconds(0)));
    meter.add(10, RateMeter::Time(seconds(1)));
    EXPECT_EQ(meter.rate(), 0U);
}

}  // namespace
}  // namespace cfs::client
