// SPDX-License-Identifier: Apache-2.0
#include "policy/calendar.hpp"

#include "time_zone.hpp"

#include <gtest/gtest.h>

namespace cfs::policy {
namespace {

using test::TimeZone;
using test::utc;

// Central Europe: forward on 2026-03-29 at 02:00 (01:00 UTC), back on 2026-10-25 at 03:00 (01:00
// UTC).
constexpr const char* kEurope = "CET-1CEST,M3.5.0,M10.5.0/3";
constexpr const char* kHalfHours = "<+0530>-5:30";
/// Clocks go forward by half an hour.
constexpr const char* kLordHowe = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0";

Windows windows(std::initializer_list<const char*> texts) {
    Windows out;
    for (const char* text : texts)
        out.push_back(*settings::parse_window(text));
    return out;
}

TEST(Calendar, NoWindowsAreAlwaysOpen) {
    EXPECT_TRUE(is_open({}, utc("2026-11-22 03:00:00")));
    EXPECT_FALSE(next_change({}, utc("2026-11-22 03:00:00")));
}

TEST(Calendar, OpensAndCloses) {
    const TimeZone zone("UTC");
    const Windows nights = windows({"Mon..Fri 02:00-04:30"});
    // 2026-11-22 is a Sunday.
    const Time sunday = utc("2026-11-22 12:34:56");
    EXPECT_FALSE(is_open(nights, sunday));
    EXPECT_EQ(next_change(nights, sunday), utc("2026-11-23 02:00:00"));
    EXPECT_TRUE(is_open(nights, utc("2026-11-23 02:00:00")));
    EXPECT_EQ(next_change(nights, utc("2026-11-23 02:00:00")), utc("2026-11-23 04:30:00"));
    EXPECT_FALSE(is_open(nights, utc("2026-11-23 04:30:00")));
    EXPECT_EQ(next_change(nights, utc("2026-11-27 04:30:00")), utc("2026-11-30 02:00:00"));
}

TEST(Calendar, WindowsThatMeetAreOne) {
    const TimeZone zone("UTC");
    const Windows two = windows({"Mon 22:00-24:00", "Tue 00:00-03:00"});
    EXPECT_EQ(next_change(two, utc("2026-11-23 22:10:00")), utc("2026-11-24 03:00:00"));
    EXPECT_FALSE(next_change(windows({"00:00-24:00"}), utc("2026-11-23 22:10:00")));
}

TEST(Calendar, ZonesBesideWholeHours) {
    const TimeZone zone(kHalfHours);
    EXPECT_EQ(next_change(windows({"02:00-04:30"}), utc("2026-11-22 12:00:00")),
              utc("2026-11-22 20:30:00"));
}

// 02:00-03:00 does not exist that night.
TEST(Calendar, WhatTheClockLeavesOutIsNotOpen) {
    const TimeZone zone(kEurope);
    const Windows hour = windows({"02:00-03:00"});
    const Time evening = utc("2026-03-28 20:00:00");
    EXPECT_FALSE(is_open(hour, utc("2026-03-29 00:59:00")));
    EXPECT_FALSE(is_open(hour, utc("2026-03-29 01:00:00")));
    EXPECT_EQ(next_change(hour, evening), utc("2026-03-30 00:00:00"));
    EXPECT_EQ(next_change(windows({"01:30-03:30"}), evening), utc("2026-03-29 00:30:00"));
    EXPECT_EQ(next_change(windows({"01:30-03:30"}), utc("2026-03-29 00:30:00")),
              utc("2026-03-29 01:30:00"));
    // Begins in what is left out: opens when the clock has gone over it.
    EXPECT_EQ(next_change(windows({"02:30-04:00"}), evening), utc("2026-03-29 01:00:00"));
}

TEST(Calendar, WhatTheClockShowsTwiceIsOpenTwice) {
    const TimeZone zone(kEurope);
    const Windows half = windows({"02:00-02:30"});
    EXPECT_EQ(next_change(half, utc("2026-10-24 20:00:00")), utc("2026-10-25 00:00:00"));
    EXPECT_EQ(next_change(half, utc("2026-10-25 00:00:00")), utc("2026-10-25 00:30:00"));
    EXPECT_EQ(next_change(half, utc("2026-10-25 00:30:00")), utc("2026-10-25 01:00:00"));
    EXPECT_EQ(next_change(half, utc("2026-10-25 01:00:00")), utc("2026-10-25 01:30:00"));
    EXPECT_EQ(next_change(windows({"02:00-03:00"}), utc("2026-10-25 00:00:00")),
              utc("2026-10-25 02:00:00"));
}

TEST(Calendar, ClocksThatMoveByHalfAnHour) {
    const TimeZone zone(kLordHowe);
    // 2026-10-04 at 02:00 local (15:30 UTC the day before) it becomes 02:30.
    EXPECT_EQ(next_change(windows({"Sun 02:10-02:45"}), utc("2026-10-03 12:00:00")),
              utc("2026-10-03 15:30:00"));
    EXPECT_EQ(next_change(windows({"Sun 02:10-02:45"}), utc("2026-10-03 15:30:00")),
              utc("2026-10-03 15:45:00"));
}

// Given each minute of a year with both changes, then next_change is what asking each minute gives.
TEST(Calendar, AgreesWithTheClockAllYear) {
    const TimeZone zone(kEurope);
    const Windows some =
        windows({"Mon..Fri 02:00-04:30", "Sat,Sun 23:15-03:05", "Wed 12:00-12:01"});
    Time at = utc("2026-01-01 00:00:00");
    auto next = next_change(some, at);
    bool open = is_open(some, at);
    for (const Time end = utc("2027-01-01 00:00:00"); at < end; at += std::chrono::minutes(1)) {
        const bool now = is_open(some, at);
        if (now != open) {
            ASSERT_EQ(next, at) << local_text(at);
            next = next_change(some, at);
        }
        open = now;
    }
}

TEST(Calendar, AnAbsurdClockIsNoTrap) {
    const TimeZone zone("UTC");
    EXPECT_TRUE(is_open(windows({"00:00-24:00"}), Time::max()));
    EXPECT_EQ(local_text(utc("2026-11-24 02:00:00")), "Tue 2026-11-24 02:00");
}

}  // namespace
}  // namespace cfs::policy
