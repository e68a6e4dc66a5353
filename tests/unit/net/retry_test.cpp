// SPDX-License-Identifier: Apache-2.0
#include "net/retry.hpp"

#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

using std::chrono::milliseconds;

TEST(RetryAfter, IsSecondsOrADate) {
    using std::chrono::seconds;
    // 784111777 is RFC 9110's example date.
    const auto now = std::chrono::system_clock::from_time_t(784111777);
    EXPECT_EQ(parse_retry_after("0", "", now), seconds(0));
    EXPECT_EQ(parse_retry_after("120", "", now), seconds(120));
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", "", now), seconds(60));
    EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:50:37 GMT", "", now), seconds(60));
    EXPECT_EQ(parse_retry_after("Sun Nov  6 08:50:37 1994", "", now), seconds(60));
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", "", now), seconds(0));
}

TEST(RetryAfter, IsCountedByTheServersClock) {
    const auto wrong = std::chrono::system_clock::from_time_t(0);
    EXPECT_EQ(
        parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", wrong),
        std::chrono::seconds(60));
}

TEST(RetryAfter, IsBoundedAndStrict) {
    const auto now = std::chrono::system_clock::from_time_t(784111777);
    constexpr std::chrono::seconds kYear{std::chrono::hours{24 * 365}};
    EXPECT_EQ(parse_retry_after("18446744073709551615", "", now), kYear);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:50:37 GMT", "", now), kYear);
    for (const char* bad : {"", "-1", "soon", "1.5", "99999999999999999999999"}) {
        EXPECT_FALSE(parse_retry_after(bad, "", now)) << bad;
    }
}

TEST(RetryDelay, DoublesWithinItsJitter) {
    for (unsigned attempt = 1; attempt <= 5; ++attempt) {
        const milliseconds full(500 << (attempt - 1));
        const milliseconds delay = retry_delay(attempt, 42, milliseconds(500));
        EXPECT_GE(delay, full / 2) << attempt;
        EXPECT_LT(delay, full) << attempt;
    }
}

TEST(RetryDelay, NeverExceedsHalfAMinute) {
    for (const unsigned attempt : {10U, 100U, 4'000'000'000U}) {
        EXPECT_GE(retry_delay(attempt, 1, milliseconds(500)), milliseconds(15'000));
        EXPECT_LT(retry_delay(attempt, 1, milliseconds(500)), milliseconds(30'000));
    }
    EXPECT_LT(retry_delay(1, 1, std::chrono::hours(9)), milliseconds(30'000));
}

TEST(RetryDelay, IsStablePerSeedAndDiffersBetweenSeeds) {
    EXPECT_EQ(retry_delay(3, 7, milliseconds(500)), retry_delay(3, 7, milliseconds(500)));
    EXPECT_NE(retry_delay(3, 7, milliseconds(500)), retry_delay(3, 8, milliseconds(500)));
}

TEST(WaitOrStop, AStopEndsItAtOnce) {
    std::stop_source stop;
    stop.request_stop();
    test::expect_error(
        ErrorCode::Cancelled, "", [&] { wait_or_stop(std::chrono::hours(1), stop.get_token()); });
}

}  // namespace
}  // namespace cfs::net
