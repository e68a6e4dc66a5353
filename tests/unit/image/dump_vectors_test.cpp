// SPDX-License-Identifier: Apache-2.0
// Dump -> tree -> image against what composefs-rs 0.9.0 made of the same dumps.
#include "crypto/fsverity.hpp"
#include "image/dump_reader.hpp"
#include "image/erofs_writer.hpp"
#include "unit/image/vectors.hpp"

#include <gtest/gtest.h>

namespace cfs::image::test {
namespace {

struct Row {
    std::string file;
    std::string algorithm;
    std::string version;
    std::size_t size = 0;
    std::string sha256;
    std::string verity;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.file << ' ' << row.algorithm << ' ' << row.version;
}

std::vector<Row> rows() {
    std::vector<Row> result;
    for (const auto& line : read_table("dumps/expected.tsv")) {
        if (line[0] == "file") continue;
        result.push_back({line[0], line[1], line[2], std::stoul(line[3]), line[4], line[5]});
    }
    return result;
}

class DumpVector : public testing::TestWithParam<Row> {};

TEST_P(DumpVector, GivesTheImageOfComposefsRs) {
    const Row& row = GetParam();
    const HashAlgorithm algorithm = algorithm_named(row.algorithm);
    const FileTree tree = read_dump(read_data("dumps/" + row.file), DumpDialect::Rust, algorithm);
    const Bytes image = write_erofs(tree, version_named(row.version), algorithm);
    EXPECT_EQ(image.size(), row.size);
    EXPECT_EQ(hash(HashAlgorithm::Sha256, image).hex(), row.sha256);
    EXPECT_EQ(verity_digest(algorithm, image).hex(), row.verity);
}

INSTANTIATE_TEST_SUITE_P(Rs, DumpVector, testing::ValuesIn(rows()), [](const auto& param) {
    const Row& row = param.param;
    return test_name(row.file + '_' + row.algorithm + '_' + row.version);
});

}  // namespace
}  // namespace cfs::image::test
