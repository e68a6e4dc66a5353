// SPDX-License-Identifier: Apache-2.0
#include "policy/share.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace cfs::policy {
namespace {

using namespace std::chrono_literals;

std::string machine(int number) {
    return "machine " + std::to_string(number);
}

// printf '9:machine 1sha256:00' | sha256sum: the first 53 bits over 2^53.
TEST(Share, IsTheOneOfTheHash) {
    EXPECT_DOUBLE_EQ(share_of("machine 1", "sha256:00"), 0.3634088247572689);
}

TEST(Share, StaysAndDiffersByPurpose) {
    EXPECT_EQ(share_of("a", "b"), share_of("a", "b"));
    EXPECT_NE(share_of("a", "b"), share_of("a", "c"));
    EXPECT_NE(share_of("a", "bc"), share_of("ab", "c"));
}

TEST(Share, IsEvenOverMachines) {
    std::array<int, 10> tenths{};
    for (int number = 0; number < 10'000; ++number) {
        const double share = share_of(machine(number), "sha256:feed");
        ASSERT_GE(share, 0);
        ASSERT_LT(share, 1);
        ++tenths.at(static_cast<std::size_t>(share * 10));
    }
    // 1000 expected with a standard deviation of 30.
    for (const int count : tenths)
        EXPECT_NEAR(count, 1000, 150);
}

TEST(BackOff, DoublesUpToTheMostAndWaitsAtLeastHalf) {
    EXPECT_EQ(back_off(15min, 24h, 0, "m"), 0ms);
    std::chrono::milliseconds whole = 15min;
    for (unsigned failures = 1; failures < 40; ++failures) {
        const auto wait = back_off(15min, 24h, failures, "m");
        EXPECT_GE(wait, whole / 2) << failures;
        EXPECT_LE(wait, whole) << failures;
        whole = std::min<std::chrono::milliseconds>(whole * 2, 24h);
    }
    EXPECT_LE(back_off(15min, 24h, 4'000'000'000U, "m"), 24h);
    EXPECT_LE(back_off(48h, 24h, 1, "m"), 24h);
}

TEST(BackOff, IsTheSameAgainAndAnotherElsewhere) {
    EXPECT_EQ(back_off(15min, 24h, 3, "m"), back_off(15min, 24h, 3, "m"));
    std::set<std::chrono::milliseconds> different;
    for (int number = 0; number < 100; ++number)
        different.insert(back_off(15min, 24h, 3, machine(number)));
    EXPECT_EQ(different.size(), 100U);
}

}  // namespace
}  // namespace cfs::policy
