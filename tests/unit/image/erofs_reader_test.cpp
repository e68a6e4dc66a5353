// SPDX-License-Identifier: Apache-2.0
#include "image/erofs_reader.hpp"

#include "base/error.hpp"
#include "image/dump.hpp"
#include "image/dump_reader.hpp"
#include "unit/image/vectors.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cfs::image::test {
namespace {

struct Row {
    std::string file;
    std::string algorithm;
    std::string version;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.file << ' ' << row.algorithm << ' ' << row.version;
}

std::vector<Row> rows() {
    std::vector<Row> result;
    for (const auto& line : read_table("dumps/expected.tsv")) {
        if (line[0] != "file") result.push_back({line[0], line[1], line[2]});
    }
    return result;
}

Bytes image_of(const Row& row) {
    const HashAlgorithm algorithm = algorithm_named(row.algorithm);
    const FileTree tree = read_dump(read_data("dumps/" + row.file), DumpDialect::Rust, algorithm);
    return write_erofs(tree, version_named(row.version), algorithm);
}

class ImageRoundTrip : public testing::TestWithParam<Row> {};

TEST_P(ImageRoundTrip, ReadAndWrittenAgainIsTheSame) {
    const Row& row = GetParam();
    const Bytes image = image_of(row);
    EXPECT_EQ(erofs_version(image), version_named(row.version));
    const FileTree tree = read_erofs(image);
    EXPECT_EQ(write_erofs(tree, version_named(row.version), algorithm_named(row.algorithm)), image);
}

TEST_P(ImageRoundTrip, ListsTheObjectsOfItsFiles) {
    const Bytes image = image_of(GetParam());
    std::set<Digest> expected;
    read_erofs(image).walk([&expected](const std::string&, const Node& node) {
        if (node.is_directory()) return;
        const Inode& leaf = *node.leaf();
        if (leaf.external) expected.insert(*leaf.external);
        if (const auto named = digest_from_object_path(leaf.backing_path.view()))
            expected.insert(*named);
    });
    EXPECT_EQ(erofs_objects(image), std::vector<Digest>(expected.begin(), expected.end()));
}

INSTANTIATE_TEST_SUITE_P(Rs, ImageRoundTrip, testing::ValuesIn(rows()), [](const auto& param) {
    const Row& row = param.param;
    return test_name(row.file + '_' + row.algorithm + '_' + row.version);
});

Bytes small_image(ErofsVersion version) {
    const FileTree tree = read_dump(
        read_data("dumps/own/acl-and-caps.dump"), DumpDialect::Rust, HashAlgorithm::Sha256);
    return write_erofs(tree, version, HashAlgorithm::Sha256);
}

TEST(ErofsReader, AnImageCutShortIsRefused) {
    Bytes image = small_image(ErofsVersion::V1);
    image.resize(image.size() - 4096);
    EXPECT_THROW((void)read_erofs(image), Error);
}

TEST(ErofsReader, AnotherBlockSizeIsRefused) {
    Bytes image = small_image(ErofsVersion::V1);
    image[1024 + 12] = 13;
    EXPECT_THROW((void)read_erofs(image), Error);
}

TEST(ErofsReader, NothingAtAllIsRefused) {
    EXPECT_THROW((void)read_erofs({}), Error);
}

// One byte changed, all over the image: an error or a tree, never anything else.
TEST(ErofsReader, SurvivesChangedBytes) {
    for (const ErofsVersion version : {ErofsVersion::V1, ErofsVersion::V2}) {
        const Bytes good = small_image(version);
        for (std::size_t i = 1024; i < good.size(); i += version == ErofsVersion::V1 ? 31 : 3) {
            Bytes image = good;
            image[i] = static_cast<std::uint8_t>(~image[i]);
            try {
                (void)read_erofs(image);
                (void)erofs_objects(image);
            } catch (const Error& error) {
                EXPECT_EQ(error.code(), ErrorCode::BadFormat);
            }
        }
    }
}

TEST(ErofsReader, TheDeepestTreeIsReadAndWritten) {
    FileTree tree;
    Directory* directory = &tree.root();
    for (std::size_t depth = 0; depth < kMaxDepth; ++depth) {
        directory = directory->put("d", Node(std::make_unique<Directory>())).directory();
    }
    for (const ErofsVersion version : {ErofsVersion::V1, ErofsVersion::V2}) {
        const Bytes image = write_erofs(tree, version, HashAlgorithm::Sha256);
        EXPECT_EQ(diff_trees(tree, read_erofs(image), 10), "");
    }
}

TEST(ErofsReader, ADeeperTreeIsRefused) {
    FileTree tree;
    Directory* directory = &tree.root();
    for (std::size_t depth = 0; depth <= kMaxDepth; ++depth) {
        directory = directory->put("d", Node(std::make_unique<Directory>())).directory();
    }
    const Bytes image = write_erofs(tree, ErofsVersion::V1, HashAlgorithm::Sha256);
    EXPECT_THROW((void)read_erofs(image), Error);
}

}  // namespace
}  // namespace cfs::image::test
