// SPDX-License-Identifier: Apache-2.0
#include "client/image/tree_diff.hpp"

#include "client/output/image_json.hpp"
#include "image/dump_reader.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cfs::client {
namespace {

const std::string kRoot = "/ 0 40755 2 0 0 0 1.0 - - -\n";
const std::string kDigestA(64, 'a');
const std::string kDigestB(64, 'b');

image::FileTree tree(const std::string& lines) {
    return image::read_dump(
        as_bytes(kRoot + lines), image::DumpDialect::Rust, HashAlgorithm::Sha256);
}

std::string external(const std::string& path, const std::string& digest) {
    return path + " 99 100644 1 0 0 0 1.0 " + digest.substr(0, 2) + "/" + digest.substr(2) + " - " +
           digest + "\n";
}

std::string text(const std::string& one, const std::string& other) {
    return changes_text(compare_trees(tree(one), tree(other)));
}

TEST(CompareTrees, EqualTreesHaveNoChanges) {
    const std::string lines =
        "/d 0 40755 2 0 0 0 1.0 - - - user.a=b\n/d/f 1 100644 2 0 0 0 1.0 - x -\n"
        "/e 0 @120000 - - - - 0.0 /d/f - -\n";
    EXPECT_EQ(text(lines, lines), "");
}

TEST(CompareTrees, NamesEachFieldThatDiffers) {
    EXPECT_EQ(text("/f 1 100644 1 0 0 0 1.0 - x - user.a=1 user.b=2\n",
                   "/f 1 100755 1 5 0 0 1.5 - y - user.a=1 user.c=3\n"),
              "~ /f: content x -> y; mode 0644 -> 0755; uid 0 -> 5; mtime 1.000000000 -> "
              "1.000000005; xattr.user.b 2 -> none; xattr.user.c none -> 3\n");
    EXPECT_EQ(text("/l 1 120777 1 0 0 0 1.0 a - -\n", "/l 2 120777 1 0 0 0 1.0 bb - -\n"),
              "~ /l: size 1 -> 2; target a -> bb\n");
    EXPECT_EQ(text("/c 0 20600 1 0 0 259 1.0 - - -\n", "/c 0 20600 1 0 0 260 1.0 - - -\n"),
              "~ /c: device 1:3 -> 1:4\n");
}

TEST(CompareTrees, ShowsDigestsInFullInJson) {
    const auto changes =
        compare_trees(tree(external("/f", kDigestA)), tree(external("/f", kDigestB)));
    const auto json = boost::json::parse(to_json(changes)).as_object();
    EXPECT_FALSE(json.at("equal").as_bool());
    const auto& field = json.at("changes").at(0).at("fields").at(0);
    EXPECT_EQ(field.at("name").as_string(), "digest");
    EXPECT_EQ(field.at("a").as_string(), kDigestA.c_str());
    EXPECT_EQ(field.at("b").as_string(), kDigestB.c_str());
}

TEST(CompareTrees, ListsEverythingBelowANewDirectory) {
    // A new subdirectory raises the link count of the one above it, which is no news.
    EXPECT_EQ(text("/a 0 40755 2 0 0 0 1.0 - - -\n",
                   "/a 0 40755 3 0 0 0 1.0 - - -\n/a/d 0 40755 2 0 0 0 1.0 - - -\n"
                   "/a/d/f 1 100644 1 0 0 0 1.0 - x -\n"),
              "+ /a/d (directory)\n+ /a/d/f (regular file, 1 byte)\n");
}

TEST(CompareTrees, ATimeThatFollowsFromANewNameIsNoNews) {
    const auto one = tree("/a 0 40755 2 0 0 0 1.0 - - -\n/b 0 40755 2 0 0 0 1.0 - - -\n");
    const auto other = tree(
        "/a 0 40755 2 0 0 0 2.0 - - -\n/a/f 1 100644 1 0 0 0 1.0 - x -\n"
        "/b 0 40755 2 0 0 0 2.0 - - -\n");
    const std::string b = "~ /b: mtime 1.000000000 -> 2.000000000\n";
    EXPECT_EQ(changes_text(compare_trees(one, other)), "+ /a/f (regular file, 1 byte)\n" + b);
    EXPECT_EQ(changes_text(compare_trees(one, other, true)),
              "~ /a: mtime 1.000000000 -> 2.000000000\n+ /a/f (regular file, 1 byte)\n" + b);
}

TEST(CompareTrees, AFileInPlaceOfADirectoryIsOneGoneAndOneNew) {
    EXPECT_EQ(text("/a 0 40755 2 0 0 0 1.0 - - -\n/a/f 1 100644 1 0 0 0 1.0 - x -\n",
                   "/a 2 120777 1 0 0 0 1.0 bb - -\n"),
              "- /a (directory)\n- /a/f (regular file, 1 byte)\n+ /a (symbolic link)\n");
}

TEST(CompareTrees, FollowsHardLinks) {
    const std::string linked = "/a 1 100644 2 0 0 0 1.0 - x -\n/b 0 @120000 - - - - 0.0 /a - -\n";
    const std::string split = "/a 1 100644 1 0 0 0 1.0 - x -\n/b 1 100644 1 0 0 0 1.0 - x -\n";
    EXPECT_EQ(text(linked, split), "~ /a: names 2 -> 1\n~ /b: link to /a -> none; names 2 -> 1\n");
    // The further names of a file that changed are still names of it.
    EXPECT_EQ(text(linked, "/a 1 100644 2 0 0 0 1.0 - y -\n/b 0 @120000 - - - - 0.0 /a - -\n"),
              "~ /a: content x -> y\n");
}

TEST(CompareTrees, ComparesTheRoot) {
    const image::FileTree other = image::read_dump(
        as_bytes("/ 0 40700 2 0 0 0 1.0 - - -\n"), image::DumpDialect::Rust, HashAlgorithm::Sha256);
    EXPECT_EQ(changes_text(compare_trees(tree(""), other)), "~ /: mode 0755 -> 0700\n");
}

TEST(CompareTrees, EscapesHostileNames) {
    EXPECT_EQ(text("", "/\\x1b[2J\\n\\x20\\\\ 0 100644 1 0 0 0 1.0 - - -\n"),
              "+ /\\x1b[2J\\n\\x20\\\\ (regular file, 0 bytes)\n");
}

}  // namespace
}  // namespace cfs::client
