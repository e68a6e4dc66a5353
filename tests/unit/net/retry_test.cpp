// SPDX-License-Identifier: Apache-2.0
#include "net/retry.hpp"

#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

using std::chrono::milliseconds;

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
