// SPDX-License-Identifier: Apache-2.0
#include "uki/os_release.hpp"

#include "base/error.hpp"
#include "uki/text.hpp"
#include "unit/uki/pe_builder.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace cfs::uki {
namespace {

using cfs::test::error_of;

std::string value_of(const std::string& text) {
    return OsRelease::parse("K=" + text).get("K");
}

TEST(OsRelease, ReadsAssignmentsBetweenCommentsAndBlanks) {
    const auto release = OsRelease::parse("# one\n\n  ID=debian\r\n\t\n#ID=x\n");
    EXPECT_EQ(release.id(), "debian");
}

TEST(OsRelease, UndoesShellQuoting) {
    EXPECT_EQ(value_of("plain"), "plain");
    EXPECT_EQ(value_of(""), "");
    EXPECT_EQ(value_of("\"\""), "");
    EXPECT_EQ(value_of("\"two words\""), "two words");
    EXPECT_EQ(value_of("'two words'"), "two words");
    EXPECT_EQ(value_of(R"("a \"b\" \\ \$c \`d\`")"), R"(a "b" \ $c `d`)");
    EXPECT_EQ(value_of(R"("a \n")"), R"(a \n)");
    EXPECT_EQ(value_of(R"('a \" $b')"), R"(a \" $b)");
    EXPECT_EQ(value_of(R"(a\ b)"), "a b");
    EXPECT_EQ(value_of("a=b"), "a=b");
}

TEST(OsRelease, ExpandsNothing) {
    EXPECT_EQ(value_of("$HOME"), "$HOME");
    EXPECT_EQ(value_of("\"$(id)`id`\""), "$(id)`id`");
}

TEST(OsRelease, TheLastOfTwoAssignmentsCounts) {
    EXPECT_EQ(OsRelease::parse("ID=a\nID=b\n").id(), "b");
}

TEST(OsRelease, NeedsNoNewlineAtTheEnd) {
    EXPECT_EQ(OsRelease::parse("ID=a").id(), "a");
    EXPECT_TRUE(OsRelease::parse("").fields().empty());
}

TEST(OsRelease, KeepsUtf8) {
    EXPECT_EQ(value_of("\"Caf\xc3\xa9\""), "Caf\xc3\xa9");
}

TEST(OsRelease, VersionFollowsTheLoadersRule) {
    EXPECT_EQ(OsRelease::parse("BUILD_ID=4").version(), "4");
    EXPECT_EQ(OsRelease::parse("BUILD_ID=4\nVERSION_ID=3").version(), "3");
    EXPECT_EQ(OsRelease::parse("BUILD_ID=4\nVERSION_ID=3\nVERSION=2").version(), "2");
    EXPECT_EQ(OsRelease::parse("VERSION=2\nIMAGE_VERSION=1").version(), "1");
    EXPECT_EQ(OsRelease::parse("IMAGE_VERSION=\nVERSION=2").version(), "2");
    EXPECT_EQ(OsRelease::parse("ID=x").version(), "");
}

TEST(OsRelease, SortKeyAndTitleFollowTheLoadersRule) {
    EXPECT_EQ(OsRelease::parse("ID=a\nIMAGE_ID=b").sort_key(), "b");
    EXPECT_EQ(OsRelease::parse("ID=a").sort_key(), "a");
    EXPECT_EQ(OsRelease::parse("ID=a\nNAME=n\nIMAGE_ID=b\nPRETTY_NAME=p").pretty_name(), "p");
    EXPECT_EQ(OsRelease::parse("ID=a\nNAME=n\nIMAGE_ID=b").pretty_name(), "b");
    EXPECT_EQ(OsRelease::parse("ID=a\nNAME=n").pretty_name(), "n");
    EXPECT_EQ(OsRelease::parse("ID=a").pretty_name(), "a");
}

TEST(OsRelease, SecurityVersionIsANumber) {
    EXPECT_EQ(OsRelease::parse("CFS_SECURITY_VERSION=7").security_version(), 7U);
    EXPECT_EQ(OsRelease::parse("CFS_SECURITY_VERSION=\"9223372036854775807\"").security_version(),
              std::uint64_t{9223372036854775807U});
    EXPECT_FALSE(OsRelease::parse("ID=a").security_version());
    for (const char* bad : {"", "-1", "+1", "0x1", "1.0", "9223372036854775808", "1 "}) {
        const auto release = OsRelease::parse("CFS_SECURITY_VERSION=\"" + std::string(bad) + "\"");
        EXPECT_THROW((void)release.security_version(), Error) << bad;
    }
}

struct Broken {
    const char* name;
    std::string text;
    const char* says;
};

std::ostream& operator<<(std::ostream& out, const Broken& row) {
    return out << row.name;
}

class BrokenOsRelease : public testing::TestWithParam<Broken> {};

TEST_P(BrokenOsRelease, IsRefusedWithItsLine) {
    EXPECT_EQ(error_of([&] { (void)OsRelease::parse(GetParam().text); }),
              std::string("BadFormat: os-release: ") + GetParam().says);
}

const Broken kBroken[] = {
    {"NoAssignment", "ID=a\nwhat is this\n", "line 2: not an assignment: 'what is this'"},
    {"NoKey", "=a", "line 1: not an assignment: '=a'"},
    {"KeyStartsWithADigit", "1A=a", "line 1: not an assignment: '1A=a'"},
    {"SpaceBeforeEquals", "ID =a", "line 1: not an assignment: 'ID =a'"},
    {"Export", "export ID=a", "line 1: not an assignment: 'export ID=a'"},
    {"OpenDoubleQuote", "ID=\"a\nB=c\"", "line 1: the quote is not closed"},
    {"OpenSingleQuote", "\nID='", "line 2: the quote is not closed"},
    {"EscapedClosingQuote", R"(ID="a\")", "line 1: the quote is not closed"},
    {"TextBehindQuote", "ID=\"a\"b", "line 1: text behind the closing quote"},
    {"TwoQuotes", "ID='a''b'", "line 1: text behind the closing quote"},
    {"Nul", std::string("ID=a\0b", 6), "line 1: a control character: 'ID=a\\x00b'"},
    {"Escape", "ID=a\x1b[0m", "line 1: a control character: 'ID=a\\x1b[0m'"},
    {"InnerCarriageReturn", "ID=a\rb", "line 1: a control character: 'ID=a\\x0db'"},
    {"Delete", "ID=\x7f", "line 1: a control character: 'ID=\\x7f'"},
    {"NotUtf8", "ID=\xff", "not UTF-8"},
    {"TooBig", std::string(65537, '#'), "65537 bytes; at most 65536 are read"},
};

INSTANTIATE_TEST_SUITE_P(All, BrokenOsRelease, testing::ValuesIn(kBroken), test::case_name);

// The boundaries of RFC 3629's table.
TEST(Utf8, KnowsWellFormedSequences) {
    for (const char* good : {"",
                             "a",
                             "\x7f",
                             "\xc2\x80",
                             "\xdf\xbf",
                             "\xe0\xa0\x80",
                             "\xed\x9f\xbf",
                             "\xee\x80\x80",
                             "\xef\xbf\xbf",
                             "\xf0\x90\x80\x80",
                             "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(good)) << to_hex(as_bytes(good));
    }
}

TEST(Utf8, RefusesIllFormedSequences) {
    for (const char* bad : {"\x80",
                            "\xc0\x80",
                            "\xc1\xbf",
                            "\xc2",
                            "\xc2\x41",
                            "\xe0\x9f\xbf",
                            "\xed\xa0\x80",
                            "\xe1\x80",
                            "\xf0\x8f\xbf\xbf",
                            "\xf4\x90\x80\x80",
                            "\xf5\x80\x80\x80",
                            "\xf1\x80\x80",
                            "\xff"}) {
        EXPECT_FALSE(is_utf8(bad)) << to_hex(as_bytes(bad));
    }
}

}  // namespace
}  // namespace cfs::uki
