// SPDX-License-Identifier: Apache-2.0
#include "settings/units.hpp"

#include <gtest/gtest.h>

namespace cfs::settings {
namespace {

using namespace std::chrono_literals;

TEST(Units, SizesArePowersOf1024) {
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("1048576"), 1048576U);
    EXPECT_EQ(parse_size("512K"), 524288U);
    EXPECT_EQ(parse_size("64M"), 67108864U);
    EXPECT_EQ(parse_size("8G"), 8589934592U);
    EXPECT_EQ(parse_size("1T"), 1099511627776U);
}

TEST(Units, WhatIsNoSizeIsRefused) {
    for (const char* text : {"",
                             "M",
                             "-1",
                             "1.5G",
                             "1 M",
                             "1MB",
                             "1m",
                             "0x10",
                             "9223372036854775808",
                             "18446744073709551616",
                             "8388608T"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(Units, DurationsNeedAUnit) {
    EXPECT_EQ(parse_duration("500ms"), 500ms);
    EXPECT_EQ(parse_duration("10s"), 10s);
    EXPECT_EQ(parse_duration("5min"), 5min);
    EXPECT_EQ(parse_duration("1h"), 1h);
    for (const char* text : {"", "10", "s", "-1s", "1.5s", "10 s", "5m", "1d", "9999999h"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Units, TheShortestExactSpellingIsPrinted) {
    EXPECT_EQ(format_size(0), "0");
    EXPECT_EQ(format_size(1000), "1000");
    EXPECT_EQ(format_size(1536), "1536");
    EXPECT_EQ(format_size(std::uint64_t{3} << 30), "3G");
    EXPECT_EQ(format_duration(0ms), "0ms");
    EXPECT_EQ(format_duration(1500ms), "1500ms");
    EXPECT_EQ(format_duration(90s), "90s");
    EXPECT_EQ(format_duration(120s), "2min");
}

}  // namespace
}  // namespace cfs::settings
