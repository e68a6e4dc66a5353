// SPDX-License-Identifier: Apache-2.0
#include "boot/version_compare.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <ostream>
#include <string>
#include <vector>

namespace cfs::boot {
namespace {

std::string relation(std::string_view a, std::string_view b) {
    const int r = compare_versions(a, b);
    return r < 0 ? "<" : r > 0 ? ">" : "==";
}

struct Example {
    const char* name;
    const char* a;
    const char* expected;
    const char* b;
};

std::ostream& operator<<(std::ostream& out, const Example& example) {
    return out << example.name;
}

class VersionExample : public ::testing::TestWithParam<Example> {};

TEST_P(VersionExample, OrdersAsTheSpecificationSays) {
    const Example& e = GetParam();
    EXPECT_EQ(relation(e.a, e.b), e.expected);
}

// The examples of UAPI.10 (CC-BY-4.0), with the two on '~' as corrected by its own rules in 2023.
INSTANTIATE_TEST_SUITE_P(
    Uapi10,
    VersionExample,
    ::testing::Values(Example{"SameNumber", "11", "==", "11"},
                      Example{"SameText", "systemd-123", "==", "systemd-123"},
                      Example{"WordsAlphabetically", "bar-123", "<", "foo-123"},
                      Example{"LetterAfterNumber", "123a", ">", "123"},
                      Example{"DotLetterAfterNumber", "123.a", ">", "123"},
                      Example{"LettersInAPart", "123.a", "<", "123.b"},
                      Example{"LetterAboveDot", "123a", ">", "123.a"},
                      Example{"OtherAlphabetsSkipped", "11\xCE\xB1", "==", "11\xCE\xB2"},
                      Example{"CapitalsFirst", "A", "<", "a"},
                      Example{"EmptyBelowZero", "", "<", "0"},
                      Example{"TrailingDot", "0.", ">", "0"},
                      Example{"TrailingPart", "0.0", ">", "0"},
                      Example{"ZeroAboveTilde", "0", ">", "~"},
                      Example{"EmptyAboveTilde", "", ">", "~"},
                      Example{"UnderscoreAfter", "1_", "==", "1"},
                      Example{"UnderscoreBefore", "_1", "==", "1"},
                      Example{"UnderscoreIsNoPart", "1_", "<", "1.2"},
                      Example{"UnderscoreEndsANumber", "1_2_3", ">", "1.3.3"},
                      Example{"PlusAfter", "1+", "==", "1"},
                      Example{"PlusBefore", "+1", "==", "1"},
                      Example{"PlusIsNoPart", "1+", "<", "1.2"},
                      Example{"PlusEndsANumber", "1+2+3", ">", "1.3.3"}),
    ::testing::PrintToStringParamName());

/// a TAB relation TAB b
std::vector<std::string> cells_of(const std::string& line) {
    const auto first = line.find('\t');
    const auto second = line.find('\t', first + 1);
    return {
        line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)};
}

TEST(VersionCompare, AgreesWithSystemdOnItsAnswers) {
    std::ifstream in(CFS_TEST_DATA "/boot/versions.tsv");
    std::size_t compared = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("# ")) continue;
        const auto cells = cells_of(line);
        EXPECT_EQ(relation(cells[0], cells[2]), cells[1]) << line;
        ++compared;
    }
    EXPECT_EQ(compared, 502U);
}

TEST(VersionCompare, AnyLengthOfNumberWorks) {
    const std::string nines(5000, '9');
    EXPECT_LT(compare_versions(nines, "1" + std::string(5000, '0')), 0);
    EXPECT_EQ(compare_versions(std::string(5000, '0') + "7", "7"), 0);
}

}  // namespace
}  // namespace cfs::boot
