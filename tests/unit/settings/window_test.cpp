// SPDX-License-Identifier: Apache-2.0
#include "settings/window.hpp"

#include <gtest/gtest.h>

namespace cfs::settings {
namespace {

constexpr int at(int day, int hour, int minute = 0) {
    return day * kMinutesOfDay + hour * 60 + minute;
}

TEST(Window, IsReadAsItIsWritten) {
    struct Row {
        const char* text;
        int days;
        int begin;
        int end;
    };

    for (const Row& row : {Row{"Mon..Fri 02:00-04:30", 0x1f, 120, 270},
                           Row{"02:00-04:30", 0x7f, 120, 270},
                           Row{"00:00-24:00", 0x7f, 0, 1440},
                           Row{"Sun 23:00-01:00", 0x40, 1380, 60},
                           Row{"Sat..Mon 00:01-00:02", 0x61, 1, 2},
                           Row{"Tue,Thu 10:00-11:00", 0x0a, 600, 660},
                           Row{"Mon,Mon,Wed..Wed 10:00-11:00", 0x05, 600, 660},
                           Row{"Mon..Wed,Fri 10:00-11:00", 0x17, 600, 660},
                           Row{"Wed..Tue 10:00-11:00", 0x7f, 600, 660}}) {
        const auto window = parse_window(row.text);
        ASSERT_TRUE(window) << row.text;
        EXPECT_EQ(window->days, row.days) << row.text;
        EXPECT_EQ(window->begin, row.begin) << row.text;
        EXPECT_EQ(window->end, row.end) << row.text;
    }
}

TEST(Window, WhatIsNoneIsRefused) {
    for (const char* text : {"",
                             "Mon",
                             "Mon ",
                             "02:00",
                             "2:00-4:00",
                             "02:00",
                             "02:00-02:00",
                             "24:00-02:00",
                             "02:00-24:01",
                             "02:60-03:00",
                             "25:00-",
                             "mon 02:00-03:00",
                             "Monday 02:00-03:00",
                             "Mon  02:00-03:00",
                             " 02:00-03:00",
                             "02:00-03:00 ",
                             "Mon..  02:00-03:00",
                             "Mon..Foo 02:00-03:00",
                             "Mon, 02:00-03:00",
                             ",Mon 02:00-03:00",
                             "Mon..Tue..Wed 02:00-03:00",
                             "02:00 - 03:00",
                             "02:00-03:0a",
                             "+2:00-03:00",
                             "02.00-03.00",
                             "* 02:00-03:00"}) {
        EXPECT_FALSE(parse_window(text)) << text;
    }
}

TEST(Window, EqualOnesAreWrittenAlike) {
    EXPECT_EQ(format_window(*parse_window("Mon..Fri 02:00-04:30")), "Mon..Fri 02:00-04:30");
    EXPECT_EQ(format_window(*parse_window("Sat..Mon 02:00-04:30")), "Mon,Sat,Sun 02:00-04:30");
    EXPECT_EQ(format_window(*parse_window("Fri,Thu,Wed,Mon 22:00-04:30")),
              "Mon,Wed..Fri 22:00-04:30");
    EXPECT_EQ(format_window(*parse_window("Mon..Sun 00:00-24:00")), "00:00-24:00");
    for (int days = 1; days < 0x80; ++days) {
        const Window window{static_cast<std::uint8_t>(days), 60, 59};
        EXPECT_EQ(parse_window(format_window(window)), window) << days;
    }
}

TEST(Window, HoldsItsBeginningAndNotItsEnd) {
    const Window window = *parse_window("Mon..Fri 02:00-04:30");
    EXPECT_FALSE(window.holds(at(0, 1, 59)));
    EXPECT_TRUE(window.holds(at(0, 2)));
    EXPECT_TRUE(window.holds(at(4, 4, 29)));
    EXPECT_FALSE(window.holds(at(4, 4, 30)));
    EXPECT_FALSE(window.holds(at(5, 3)));
}

// The night from Sunday to Monday belongs to Sunday.
TEST(Window, OverMidnightBelongsToTheDayItBeginsOn) {
    const Window window = *parse_window("Sun 23:00-01:00");
    EXPECT_FALSE(window.holds(at(6, 0, 30)));
    EXPECT_TRUE(window.holds(at(6, 23)));
    EXPECT_TRUE(window.holds(at(0, 0, 59)));
    EXPECT_FALSE(window.holds(at(0, 1)));
    EXPECT_FALSE(window.holds(at(0, 23)));
}

}  // namespace
}  // namespace cfs::settings
