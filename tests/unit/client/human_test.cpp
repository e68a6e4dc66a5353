// SPDX-License-Identifier: Apache-2.0
#include "client/output/human.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

TEST(HumanBytes, SmallNumbersAreExact) {
    EXPECT_EQ(human_bytes(0), "0 B");
    EXPECT_EQ(human_bytes(1023), "1023 B");
}

TEST(HumanBytes, UnitsAreBinary) {
    EXPECT_EQ(human_bytes(1024), "1.0 KiB");
    EXPECT_EQ(human_bytes(1536), "1.5 KiB");
    EXPECT_EQ(human_bytes(std::uint64_t{5} << 30), "5.0 GiB");
}

TEST(HumanBytes, RoundingNeverShows1024) {
    EXPECT_EQ(human_bytes((1 << 20) - 1), "1.0 MiB");
}

TEST(HumanBytes, TheLargestNumberFits10Columns) {
    EXPECT_LE(human_bytes(UINT64_MAX).size(), 10U);
    EXPECT_EQ(human_bytes(UINT64_MAX), "16.0 EiB");
}

TEST(HumanDuration, MinutesAndHours) {
    EXPECT_EQ(human_duration(7), "0:07");
    EXPECT_EQ(human_duration(754), "12:34");
    EXPECT_EQ(human_duration(3 * 3600 + 121), "3:02:01");
    EXPECT_EQ(human_duration(1'000'000), ">99 h");
}

TEST(HumanTime, ZeroIsNever) {
    EXPECT_EQ(human_time(0), "never");
}

TEST(Plural, OneHasNoS) {
    EXPECT_EQ(plural(1, "object"), "1 object");
    EXPECT_EQ(plural(0, "object"), "0 objects");
}

TEST(Shorten, KeepsWhatFits) {
    EXPECT_EQ(shorten("abc", 3), "abc");
    EXPECT_EQ(shorten("abcdef", 5), "ab...");
    EXPECT_EQ(shorten("abcdef", 2), "..");
}

TEST(Shorten, NeverSplitsACharacter) {
    EXPECT_EQ(shorten("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9", 5), "\u00e9\u00e9...");
    EXPECT_EQ(columns("\u00e9\u00e9"), 2U);
}

TEST(Wrap, BreaksAtSpaces) {
    EXPECT_EQ(wrap("one two three", 7), (std::vector<std::string>{"one two", "three"}));
    EXPECT_TRUE(wrap("", 7).empty());
}

TEST(Wrap, ALongWordGetsItsOwnLine) {
    EXPECT_EQ(wrap("a 0123456789 b", 4), (std::vector<std::string>{"a", "0123456789", "b"}));
}

TEST(Fold, BreaksOnlyWhatIsTooLong) {
    EXPECT_EQ(fold("cfsctl: it is short\n  hint: so it stays\n", 30),
              "cfsctl: it is short\n  hint: so it stays\n");
    EXPECT_EQ(fold("cfsctl: it is longer than twenty\n  hint: and indented the same\n", 20),
              "cfsctl: it is\n  longer than twenty\n  hint: and\n    indented the\n    same\n");
}

TEST(Fold, LeavesWordsAndOtherTextAlone) {
    const std::string url = "https://registry.example/v2/os/manifests/stable";
    EXPECT_EQ(fold("see " + url, 20), "see\n  " + url);
    EXPECT_EQ(fold("as long as it is", 0), "as long as it is");
    EXPECT_EQ(fold("", 20), "");
    EXPECT_EQ(fold("a\n\nb", 20), "a\n\nb");
    EXPECT_EQ(fold("aaaa bbbb", 2), "aaaa bbbb");
}

TEST(FoldColumns, ContinuesInTheSecondColumn) {
    EXPECT_EQ(fold_columns("  --all   one two three\n  --no   four\n", 17, 10),
              "  --all   one two\n          three\n  --no   four\n");
    EXPECT_EQ(fold_columns("  --all   onetwothree\n", 17, 10), "  --all   onetwothree\n");
}

}  // namespace
}  // namespace cfs::client
