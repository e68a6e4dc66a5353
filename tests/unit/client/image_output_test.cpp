// SPDX-License-Identifier: Apache-2.0
#include "client/output/image_json.hpp"
#include "image/dump_reader.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cfs::client {
namespace {

const std::string kDigest(64, 'a');

/// Every type of file, bits that ls(1) shows in odd ways, and a hostile name.
image::FileTree odd_tree() {
    const std::string dump =
        "/ 0 40755 2 0 0 0 0.0 - - -\n"
        "/c 0 20620 1 0 5 1281 86400.0 - - -\n"
        "/f\\x1b 99 104755 1 1000 1000 0 1700000000.5 " +
        kDigest.substr(0, 2) + "/" + kDigest.substr(2) + " - " + kDigest +
        " user.a=\\x00\n"
        "/l 7 120777 1 0 0 0 0.0 a\\x20b\\n\\xff\\\\c - -\n"
        "/t 0 41777 2 0 0 0 0.0 - - -\n";
    return image::read_dump(as_bytes(dump), image::DumpDialect::Rust, HashAlgorithm::Sha256);
}

std::vector<ListEntry> entries(const image::FileTree& tree) {
    std::vector<ListEntry> out;
    tree.walk([&out](const std::string& path, const image::Node& node) {
        out.push_back(
            {path, &node.meta(), node.type(), node.is_directory() ? nullptr : node.leaf().get()});
    });
    return out;
}

TEST(ListText, IsALongListing) {
    const image::FileTree tree = odd_tree();
    EXPECT_EQ(list_text(entries(tree), false),
              "crw--w---- 0:5       5,1 1970-01-02 00:00:00 /c\n"
              "-rwsr-xr-x 1000:1000  99 2023-11-14 22:13:20 /f\\x1b\n"
              "lrwxrwxrwx 0:0         7 1970-01-01 00:00:00 /l -> a\\x20b\\n\\xff\\\\c\n"
              "drwxrwxrwt 0:0         - 1970-01-01 00:00:00 /t\n");
}

TEST(ListText, ShowsObjects) {
    const image::FileTree tree = odd_tree();
    EXPECT_NE(list_text(entries(tree), true).find(" " + kDigest + " /f\\x1b\n"), std::string::npos);
}

TEST(ListJson, HasEveryField) {
    const image::FileTree tree = odd_tree();
    const auto json = boost::json::parse(to_json(entries(tree))).as_object();
    EXPECT_EQ(json.at("schema").to_number<int>(), 1);
    const auto& device = json.at("entries").at(0).as_object();
    EXPECT_EQ(device.at("type").as_string(), "char-device");
    EXPECT_EQ(device.at("device").at("major").to_number<int>(), 5);
    const auto& file = json.at("entries").at(1).as_object();
    EXPECT_EQ(file.at("path").as_string(), "/f\\x1b");
    EXPECT_EQ(file.at("mode").as_string(), "4755");
    EXPECT_EQ(file.at("size").to_number<int>(), 99);
    EXPECT_EQ(file.at("digest").as_string(), kDigest.c_str());
    EXPECT_EQ(file.at("mtime_nsec").to_number<int>(), 5);
    EXPECT_EQ(file.at("xattrs").at("user.a").as_string(), "\\x00");
    EXPECT_EQ(json.at("entries").at(2).at("target").as_string(), "a\\x20b\\n\\xff\\\\c");
}

TEST(ListObjects, HasEachOnce) {
    const image::FileTree tree = odd_tree();
    const auto objects = list_objects(tree);
    ASSERT_EQ(objects.size(), 1U);
    EXPECT_EQ(objects.begin()->first, kDigest.substr(0, 2) + "/" + kDigest.substr(2));
    EXPECT_EQ(objects.begin()->second.size, 99U);
    const auto json = boost::json::parse(objects_json(objects)).as_object();
    EXPECT_EQ(json.at("count").to_number<int>(), 1);
    EXPECT_EQ(json.at("bytes").to_number<int>(), 99);
}

TEST(Escaped, IsTheDumpsSpelling) {
    EXPECT_EQ(escaped("a b=\t\r\n\\\x7f\xc3\xa9-"), "a\\x20b=\\t\\r\\n\\\\\\x7f\\xc3\\xa9-");
    EXPECT_EQ(escaped(std::string_view("\0", 1)), "\\x00");
}

}  // namespace
}  // namespace cfs::client
