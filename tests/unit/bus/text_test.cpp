// SPDX-License-Identifier: Apache-2.0
#include "bus/text.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace cfs::bus {
namespace {

using namespace std::string_view_literals;

TEST(BusText, ValidTextPassesUnchanged) {
    // The first and last characters of each length.
    for (const auto text : {""sv,
                            "plain"sv,
                            "\x01\x7f"sv,
                            "\xc2\x80\xdf\xbf"sv,
                            "\xe0\xa0\x80\xef\xbf\xbd"sv,
                            "\xef\xb7\x8f\xef\xb7\xb0"sv,
                            "\xf0\x9f\xbe\xbf\xf0\xaf\xbf\xbd"sv,
                            "\xed\x9f\xbf\xee\x80\x80"sv,
                            "\xf0\x90\x80\x80\xf4\x8f\xbf\xbd"sv}) {
        EXPECT_EQ(bus_text(text), text);
    }
}

struct Broken {
    const char* name;
    std::string_view text;
    std::size_t replaced;
};

std::ostream& operator<<(std::ostream& out, const Broken& broken) {
    return out << broken.name;
}

class BrokenText : public testing::TestWithParam<Broken> {};

TEST_P(BrokenText, HasEachByteThatFitsNowhereReplaced) {
    std::string expected = "a";
    for (std::size_t i = 0; i < GetParam().replaced; ++i)
        expected += "\xef\xbf\xbd";
    EXPECT_EQ(bus_text("a" + std::string(GetParam().text) + "z"), expected + "z");
}

INSTANTIATE_TEST_SUITE_P(Utf8,
                         BrokenText,
                         testing::Values(Broken{"Nul", "\0"sv, 1},
                                         Broken{"LoneContinuation", "\x80"sv, 1},
                                         Broken{"Latin1", "\xe4"sv, 1},
                                         Broken{"OverlongSlash", "\xc0\xaf"sv, 2},
                                         Broken{"OverlongThree", "\xe0\x9f\xbf"sv, 3},
                                         Broken{"Surrogate", "\xed\xa0\x80"sv, 3},
                                         Broken{"OverlongFour", "\xf0\x8f\xbf\xbf"sv, 4},
                                         Broken{"BeyondUnicode", "\xf4\x90\x80\x80"sv, 4},
                                         Broken{"NoncharacterFdd0", "\xef\xb7\x90"sv, 3},
                                         Broken{"NoncharacterFdef", "\xef\xb7\xaf"sv, 3},
                                         Broken{"NoncharacterFffe", "\xef\xbf\xbe"sv, 3},
                                         Broken{"Noncharacter1ffff", "\xf0\x9f\xbf\xbf"sv, 4},
                                         Broken{"Noncharacter10fffe", "\xf4\x8f\xbf\xbe"sv, 4},
                                         Broken{"FiveBytes", "\xf8\x88\x80\x80\x80"sv, 5},
                                         Broken{"CutInTheMiddle", "\xe2\x82"sv, 2}),
                         [](const testing::TestParamInfo<Broken>& broken) {
                             return broken.param.name;
                         });

TEST(BusText, LongTextIsCutBetweenCharacters) {
    EXPECT_EQ(bus_text("abc\xe2\x82\xac", 5), "abc [cut]");
    EXPECT_EQ(bus_text("abc\xe2\x82\xac", 6), "abc\xe2\x82\xac");
    EXPECT_EQ(bus_text(std::string(kMaxText + 1, 'x')).size(), kMaxText + 6);
}

}  // namespace
}  // namespace cfs::bus
