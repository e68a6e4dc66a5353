// SPDX-License-Identifier: Apache-2.0
#include "image/dump.hpp"

#include "base/error.hpp"
#include "image/dump_reader.hpp"
#include "unit/image/vectors.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cfs::image::test {
namespace {

FileTree parse(std::string_view text) {
    return read_dump(as_bytes(text), DumpDialect::Rust, HashAlgorithm::Sha256);
}

std::string dump(const FileTree& tree) {
    MemorySink sink(1 << 20);
    write_dump(tree, sink);
    return std::string(as_text(sink.bytes()));
}

constexpr std::string_view kRoot = "/ 0 40755 2 0 0 0 0.0 - - -\n";

// The lines are spelled as the format's description has them.
TEST(Dump, CanonicalTextReadsAndWritesUnchanged) {
    const std::string text =
        "/ 0 40755 3 0 0 0 12.5 - - - user.a\\x3d=b\\x3dc user.dash=- user.empty=\n"
        "/a\\x20b 5 100644 2 1 2 0 3.0 - a\\n\\\\\\x00\\xff -\n"
        "/c 0 @120000 - - - - 0.0 /a\\x20b - -\n"
        "/d 0 40700 2 0 0 0 0.0 - - -\n"
        "/d/dev 0 20600 1 0 0 259 0.0 - - -\n"
        "/d/dash 1 100644 1 0 0 0 0.0 - \\x2d -\n"
        "/d/ext 70 100644 1 0 0 0 0.0 "
        "00/112233445566778899aabbccddeeff00112233445566778899aabbccddeeff - "
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
        "/d/lnk 3 120777 1 0 0 0 0.0 ../ - -\n";
    // Names sort bytewise, so "dash" stands before "dev".
    std::string sorted = text;
    const auto dev = sorted.find("/d/dev");
    const auto dash = sorted.find("/d/dash");
    const auto ext = sorted.find("/d/ext");
    sorted = sorted.substr(0, dev) + sorted.substr(dash, ext - dash) +
             sorted.substr(dev, dash - dev) + sorted.substr(ext);
    EXPECT_EQ(dump(parse(text)), sorted);
}

struct BadDump {
    const char* name;
    std::string lines;
};

std::ostream& operator<<(std::ostream& out, const BadDump& bad) {
    return out << bad.name;
}

class RefusedDump : public testing::TestWithParam<BadDump> {};

TEST_P(RefusedDump, IsAnError) {
    EXPECT_THROW((void)parse(std::string(kRoot) + GetParam().lines), Error);
}

INSTANTIATE_TEST_SUITE_P(
    Dump,
    RefusedDump,
    testing::Values(
        BadDump{"EmptyLine", "\n"},
        BadDump{"MissingParent", "/a/b 0 100644 1 0 0 0 0.0 - - -\n"},
        BadDump{"PathTwice", "/a 0 40755 2 0 0 0 0.0 - - -\n/a 0 40755 2 0 0 0 0.0 - - -\n"},
        BadDump{"DotDot", "/.. 0 40755 2 0 0 0 0.0 - - -\n"},
        BadDump{"TrailingSlash", "/a/ 0 40755 2 0 0 0 0.0 - - -\n"},
        BadDump{"RelativePath", "a 0 40755 2 0 0 0 0.0 - - -\n"},
        BadDump{"UnknownType", "/a 0 644 1 0 0 0 0.0 - - -\n"},
        BadDump{"NegativeTime", "/a 0 100644 1 0 0 0 -1.0 - - -\n"},
        BadDump{"TimeWithoutFraction", "/a 0 100644 1 0 0 0 1 - - -\n"},
        BadDump{"ContentOfAnotherSize", "/a 2 100644 1 0 0 0 0.0 - x -\n"},
        BadDump{"DigestWithoutPayload",
                std::string("/a 2 100644 1 0 0 0 0.0 - - ") + std::string(64, 'a') + "\n"},
        BadDump{"PayloadThatIsNoObject", "/a 2 100644 1 0 0 0 0.0 x/y - -\n"},
        BadDump{"LinkWithoutTarget", "/a 3 120777 1 0 0 0 0.0 - - -\n"},
        BadDump{"HardLinkToNothing", "/a 0 @100644 1 0 0 0 0.0 /b - -\n"},
        BadDump{"HardLinkedDirectory",
                "/d 0 40755 2 0 0 0 0.0 - - -\n"
                "/e 0 @40755 2 0 0 0 0.0 /d - -\n"},
        BadDump{"DeviceNumberOfAFile", "/a 0 100644 1 0 0 7 0.0 - - -\n"},
        BadDump{"UnknownEscape", "/\\q 0 100644 1 0 0 0 0.0 - - -\n"},
        BadDump{"CutEscape", "/\\x2 0 100644 1 0 0 0 0.0 - - -\n"},
        BadDump{"AttributeWithoutValue", "/a 0 100644 1 0 0 0 0.0 - - - user.x\n"},
        BadDump{"DoubleSpace", "/a 0 100644 1 0 0 0 0.0 - - -  user.x=\n"},
        BadDump{"TooFewFields", "/a 0 100644 1 0 0 0 0.0 -\n"}),
    [](const auto& param) { return std::string(param.param.name); });

// mkcomposefs (Debian's, suite forky) makes one image of these two.
TEST(Dump, SlashesInARowAreOneForTheCTool) {
    constexpr std::string_view kOdd =
        "/ 0 40755 2 0 0 0 0.0 - - -\n/dir 0 40755 2 0 0 0 0.0 - - -\n"
        "/dir//a 0 100644 1 0 0 0 0.0 - - -\n//dir/b 0 100644 1 0 0 0 0.0 - - -\n"
        "dir/c 0 100644 1 0 0 0 0.0 - - -\nd 0 100644 1 0 0 0 0.0 - - -\n"
        "/dir///sub 0 40755 2 0 0 0 0.0 - - -\n/dir/sub//x 0 100644 1 0 0 0 0.0 - - -\n";
    constexpr std::string_view kPlain =
        "/ 0 40755 2 0 0 0 0.0 - - -\n/dir 0 40755 2 0 0 0 0.0 - - -\n"
        "/dir/a 0 100644 1 0 0 0 0.0 - - -\n/dir/b 0 100644 1 0 0 0 0.0 - - -\n"
        "/dir/c 0 100644 1 0 0 0 0.0 - - -\n/d 0 100644 1 0 0 0 0.0 - - -\n"
        "/dir/sub 0 40755 2 0 0 0 0.0 - - -\n/dir/sub/x 0 100644 1 0 0 0 0.0 - - -\n";
    const auto read = [](std::string_view text, DumpDialect dialect) {
        return dump(read_dump(as_bytes(text), dialect, HashAlgorithm::Sha256));
    };
    EXPECT_EQ(read(kOdd, DumpDialect::C), read(kPlain, DumpDialect::C));
    EXPECT_THROW((void)read(kOdd, DumpDialect::Rust), Error);
}

TEST(Dump, AnEmptyOneIsRefused) {
    EXPECT_THROW((void)parse(""), Error);
}

TEST(Dump, AnErrorNamesLineAndPath) {
    try {
        (void)parse(std::string(kRoot) + "/a x 100644 1 0 0 0 0.0 - - -\n");
        FAIL();
    } catch (const Error& error) {
        const std::string what = error.what();
        EXPECT_NE(what.find("line 2"), std::string::npos) << what;
        EXPECT_NE(what.find("/a"), std::string::npos) << what;
    }
}

TEST(DiffTrees, OfEqualTreesIsEmpty) {
    const FileTree tree =
        read_dump(read_data("dumps/own/whiteouts.dump"), DumpDialect::Rust, HashAlgorithm::Sha256);
    EXPECT_EQ(diff_trees(tree, tree.copy(), 10), "");
}

TEST(DiffTrees, PutsContentBeforeTimes) {
    const FileTree a = parse(std::string(kRoot) +
                             "/a 1 100644 1 0 0 0 1.0 - x -\n/b 1 100644 1 0 0 0 1.0 - x -\n");
    const FileTree b = parse(std::string(kRoot) +
                             "/a 1 100644 1 0 0 0 2.0 - x -\n/b 1 100644 1 0 0 0 1.0 - y -\n");
    const std::string diff = diff_trees(a, b, 10);
    EXPECT_LT(diff.find("/b: content expected 1 bytes 'x', found 1 bytes 'y'"),
              diff.find("/a: mtime expected 1.000000000, found 2.000000000"))
        << diff;
}

TEST(DiffTrees, NamesOnlyTheTopOfAMissingSubtree) {
    const FileTree a = parse(std::string(kRoot) +
                             "/d 0 40755 2 0 0 0 0.0 - - -\n/d/f 0 100644 1 0 0 0 0.0 - - -\n");
    EXPECT_EQ(diff_trees(a, parse(kRoot), 10), "- /d: missing directory with 1 entries below\n");
    EXPECT_EQ(diff_trees(parse(kRoot), a, 10), "+ /d: added directory with 1 entries below\n");
}

TEST(DiffTrees, CountsWhatItLeavesOut) {
    std::string many(kRoot);
    for (int i = 0; i < 9; ++i) {
        many += "/" + std::to_string(i) + " 0 100644 1 0 0 0 0.0 - - -\n";
    }
    const std::string diff = diff_trees(parse(kRoot), parse(many), 3);
    EXPECT_EQ(std::count(diff.begin(), diff.end(), '\n'), 4);
    EXPECT_NE(diff.find("and 6 more paths"), std::string::npos) << diff;
}

TEST(DiffTrees, SeesABrokenHardLink) {
    const std::string file = "/a 0 100644 1 0 0 0 0.0 - - -\n";
    const FileTree linked = parse(std::string(kRoot) + file + "/b 0 @100644 1 0 0 0 0.0 /a - -\n");
    const FileTree apart = parse(std::string(kRoot) + file + "/b 0 100644 1 0 0 0 0.0 - - -\n");
    EXPECT_NE(diff_trees(linked, apart, 10).find("names expected 2, found 1"), std::string::npos);
}

TEST(DiffTrees, NamesTheAttributeThatDiffers) {
    const FileTree a = parse("/ 0 40755 2 0 0 0 0.0 - - - user.x=1 user.y=2\n");
    const FileTree b = parse("/ 0 40755 2 0 0 0 0.0 - - - user.x=1\n");
    EXPECT_EQ(diff_trees(a, b, 10), "  /: xattr user.y expected '2', found none\n");
}

}  // namespace
}  // namespace cfs::image::test
