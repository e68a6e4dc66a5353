// SPDX-License-Identifier: Apache-2.0
#include "etc/text_diff.hpp"

#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace cfs::etc {
namespace {

std::string diff(const std::string& before, const std::string& after) {
    return unified_diff({"a/f", before}, {"b/f", after});
}

TEST(EtcTextDiff, EqualTextsHaveNone) {
    EXPECT_EQ(diff("", ""), "");
    EXPECT_EQ(diff("x\n", "x\n"), "");
}

TEST(EtcTextDiff, AChangedLineStandsInItsContext) {
    EXPECT_EQ(diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
              "--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(EtcTextDiff, NewAndGoneFilesAreWhole) {
    EXPECT_EQ(diff("", "a\nb\n"), "--- a/f\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    EXPECT_EQ(diff("a\n", ""), "--- a/f\n+++ b/f\n@@ -1 +0,0 @@\n-a\n");
}

TEST(EtcTextDiff, AMissingLastNewlineIsSaid) {
    EXPECT_EQ(diff("a", "a\n"),
              "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

TEST(EtcTextDiff, BytesThatAreNoTextAreNotShown) {
    EXPECT_EQ(diff(std::string("a\0b", 3), "c"), "Binary files a/f and b/f differ\n");
}

/// patch(1) is the judge: it makes the new text out of the old one and the diff.
TEST(EtcTextDiff, PatchMakesTheNewTextOfIt) {
    if (std::system("command -v patch >/dev/null") != 0) GTEST_SKIP() << "no patch(1)";
    const test::TempDir dir;
    std::mt19937 random(7);
    for (int round = 0; round < 60; ++round) {
        std::string before;
        std::string after;
        const auto kinds = 2 + random() % 20;
        const auto lines = random() % 60;
        for (unsigned i = 0; i < lines; ++i) {
            const std::string line = "line " + std::to_string(random() % kinds) + "\n";
            const auto what = random() % 8;
            if (what != 0) before += line;
            if (what != 1) after += line;
            if (what == 2) after += "new " + line;
        }
        if (round % 5 == 0 && !after.empty()) after.pop_back();
        const std::string text = diff(before, after);
        if (text.empty()) continue;
        dir.write("f", before);
        dir.write("d", text);
        const std::string command =
            "patch -s -o '" + dir / "out" + "' '" + dir / "f" + "' '" + dir / "d" + "'";
        ASSERT_EQ(std::system(command.c_str()), 0) << text;
        ASSERT_EQ(dir.read("out"), after) << "before\n" << before << "diff\n" << text;
    }
}

TEST(EtcTextDiff, TextsWithLittleInCommonAreReplacedWhole) {
    std::string before;
    std::string after;
    for (int i = 0; i < 3000; ++i) {
        before += "a" + std::to_string(i) + "\n";
        after += "b" + std::to_string(i) + "\n";
    }
    EXPECT_NE(diff(before, after).find("@@ -1,3000 +1,3000 @@"), std::string::npos);
}

}  // namespace
}  // namespace cfs::etc
