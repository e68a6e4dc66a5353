// SPDX-License-Identifier: Apache-2.0
// Dump -> tree -> image against what mkcomposefs 1.0.8 made of the same dumps.
#include "base/error.hpp"
#include "crypto/fsverity.hpp"
#include "image/dump_reader.hpp"
#include "image/erofs_writer.hpp"
#include "unit/image/vectors.hpp"

#include <gtest/gtest.h>

namespace cfs::image::test {
namespace {

struct Row {
    std::string file;
    DumpDialect dialect = DumpDialect::C;
    ErofsOptions options;
    ErofsVersion version = ErofsVersion::V0;
    std::size_t size = 0;
    std::string sha256;
    std::string verity;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.file << (row.dialect == DumpDialect::C ? "" : " strict");
}

ErofsVersion version_of(char digit) {
    return version_named(std::string("V") + digit);
}

/// "--min-version=0 --max-version=1"
ErofsOptions options_of(const std::string& text) {
    const auto digit = [&text](const std::string& name) {
        return version_of(text.at(text.find(name) + name.size()));
    };
    return {.dialect = ImageDialect::C,
            .min_version = digit("--min-version="),
            .max_version = digit("--max-version=")};
}

std::vector<Row> own_rows() {
    std::vector<Row> result;
    for (const auto& line : read_table("dumps/own/MANIFEST.tsv")) {
        if (line[0] == "file") continue;
        result.push_back({.file = "own/" + line[0],
                          .options = options_of(line[1]),
                          .version = version_of(line[5][0]),
                          .size = std::stoul(line[2]),
                          .sha256 = line[3],
                          .verity = line[4]});
    }
    return result;
}

std::vector<Row> c_rows() {
    std::vector<Row> result;
    for (const auto& line : read_table("dumps/composefs-c/MANIFEST.tsv")) {
        if (line[0] == "file" || line[0] == "-") continue;
        Row row{.file = "composefs-c/" + line[0],
                .options = options_of(line[2]),
                .version = version_of(line[9][0]),
                .size = std::stoul(line[8]),
                .sha256 = line[4],
                .verity = line[7]};
        result.push_back(row);
        row.dialect = DumpDialect::CStrict;
        if (line[3] == "1") result.push_back(row);
    }
    return result;
}

class CVector : public testing::TestWithParam<Row> {};

TEST_P(CVector, GivesTheImageOfTheCTool) {
    const Row& row = GetParam();
    const FileTree tree =
        read_dump(read_data("dumps/" + row.file), row.dialect, HashAlgorithm::Sha256);
    MemorySink image(std::size_t{64} << 20);
    const ErofsImage written = write_erofs(tree, row.options, image);
    EXPECT_EQ(written.version, row.version);
    EXPECT_EQ(written.size, row.size);
    EXPECT_EQ(image.bytes().size(), row.size);
    EXPECT_EQ(hash(HashAlgorithm::Sha256, image.bytes()).hex(), row.sha256);
    EXPECT_EQ(written.digest.hex(), row.verity);
    EXPECT_EQ(measure_erofs(tree, row.options).digest.hex(), row.verity);
}

std::string row_name(const testing::TestParamInfo<Row>& info) {
    const Row& row = info.param;
    return test_name(row.file + (row.dialect == DumpDialect::C ? "" : "_strict") + "_min" +
                     std::to_string(static_cast<int>(row.options.min_version)) + "_max" +
                     std::to_string(static_cast<int>(row.options.max_version)));
}

INSTANTIATE_TEST_SUITE_P(Own, CVector, testing::ValuesIn(own_rows()), row_name);
INSTANTIATE_TEST_SUITE_P(Upstream, CVector, testing::ValuesIn(c_rows()), row_name);

/// Every refusal says where: line, column and a reason.
void expect_refused(const std::string& file, DumpDialect dialect, HashAlgorithm algorithm) {
    SCOPED_TRACE(file + " dialect " + std::to_string(static_cast<int>(dialect)));
    try {
        (void)read_dump(read_data("dumps/" + file), dialect, algorithm);
        ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
        const std::string what = error.what();
        EXPECT_EQ(error.code(), ErrorCode::BadFormat);
        EXPECT_TRUE(what.starts_with("dump line ")) << what;
        EXPECT_NE(what.find(", column "), what.npos) << what;
    }
}

TEST(RefusedVectors, WhatTheCToolRefusesIsRefusedByAll) {
    std::size_t count = 0;
    for (const std::string folder : {"own", "composefs-c"}) {
        for (const auto& line : read_table("dumps/" + folder + "/SHOULD_FAIL.tsv")) {
            if (line[0] == "file") continue;
            for (const auto dialect : {DumpDialect::Rust, DumpDialect::C, DumpDialect::CStrict})
                expect_refused(folder + "/" + line[0], dialect, HashAlgorithm::Sha256);
            ++count;
        }
    }
    EXPECT_EQ(count, 57U);
}

TEST(RefusedVectors, WhatComposefsRsRefusesIsRefused) {
    std::size_t count = 0;
    for (const auto& line : read_table("dumps/rejected.tsv")) {
        if (line[0] == "dir") continue;
        expect_refused(line[0] + "/" + line[1], DumpDialect::Rust, algorithm_named(line[2]));
        ++count;
    }
    EXPECT_EQ(count, 513U);
}

TEST(RefusedVectors, WhatOnlyComposefsRsAcceptsIsRefusedInBothDialects) {
    std::size_t count = 0;
    for (const auto& line : read_table("dumps/accepted-although-c-refuses.tsv")) {
        if (line[0] == "file") continue;
        expect_refused(line[0], DumpDialect::Rust, algorithm_named(line[1]));
        expect_refused(line[0], DumpDialect::C, algorithm_named(line[1]));
        ++count;
    }
    EXPECT_EQ(count, 60U);
}

// Strict mode: what the environment variable of mkcomposefs adds.
TEST(StrictDialect, RefusesWhatTheLenientOneTakes) {
    const std::string root = "/ 0 40755 2 0 0 0 0.0 - - -\n";
    for (const std::string line : {"/f 0 100644 1 0 0 7 0.0 - - -\n",
                                   "/l 7 120777 1 0 0 0 0.0 t - -\n",
                                   "/l 1 120777 1 0 0 0 0.0 t x -\n",
                                   "/f 0 100644 1 0 0 0 0.0 - - -"}) {
        const std::string text = root + line;
        const auto read = [&text](DumpDialect dialect) {
            return read_dump(as_bytes(text), dialect, HashAlgorithm::Sha256);
        };
        EXPECT_NO_THROW((void)read(DumpDialect::C)) << line;
        EXPECT_THROW((void)read(DumpDialect::CStrict), Error) << line;
    }
}

TEST(CDialect, HasNoVersion2) {
    const ErofsOptions options{.dialect = ImageDialect::C, .max_version = ErofsVersion::V2};
    EXPECT_THROW((void)measure_erofs(FileTree(), options), Error);
}

}  // namespace
}  // namespace cfs::image::test
