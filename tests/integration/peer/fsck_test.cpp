// SPDX-License-Identifier: Apache-2.0
// What erofs-utils says of our images.
#include "image/dump_reader.hpp"
#include "image/erofs_writer.hpp"
#include "support/temp_dir.hpp"
#include "unit/image/vectors.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

namespace cfs::image::test {
namespace {

struct Row {
    std::string file;
    DumpDialect dialect = DumpDialect::Rust;
    ErofsOptions options;
};

/// Every dump that some peer made an image of, in every version.
std::vector<Row> rows() {
    std::vector<Row> result;
    for (const auto& line : read_table("dumps/expected.tsv")) {
        if (line[0] == "file" || line[1] == "sha512") continue;
        const ErofsVersion version = version_named(line[2]);
        result.push_back(
            {line[0], DumpDialect::Rust, {.min_version = version, .max_version = version}});
    }
    for (const std::string folder : {"own", "composefs-c"}) {
        std::string last;
        for (const auto& line : read_table("dumps/" + folder + "/MANIFEST.tsv")) {
            if (line[0] == "file" || line[0] == "-" || line[0] == last) continue;
            last = line[0];
            for (const auto version : {ErofsVersion::V0, ErofsVersion::V1}) {
                result.push_back(
                    {folder + "/" + line[0],
                     DumpDialect::C,
                     {.dialect = ImageDialect::C, .min_version = version, .max_version = version}});
            }
        }
    }
    return result;
}

/// V2 has one null chunk of 2^43 bytes for a file of any size, and composefs-rs writes it so (the
/// images are its own, byte for byte). Of a bigger file fsck.erofs looks for the chunks that are
/// missing, and for these it does so behind the end of the image. V0 and V1 have all chunks.
bool lacks_chunks(const Row& row) {
    const std::set<std::string> big = {"composefs-c/bigfile-xattr.dump",
                                       "composefs-c/bigfile.dump",
                                       "composefs-c/honggfuzz-bigfile-with-acl.dump",
                                       "own/ext-1024-chunks-pad.dump",
                                       "own/ext-1024-chunks-plain.dump",
                                       "own/ext-max-chunks.dump"};
    return row.options.min_version == ErofsVersion::V2 && big.contains(row.file);
}

TEST(FsckErofs, AcceptsEveryVectorsImage) {
    const cfs::test::TempDir dir;
    const std::string image = dir.path() + "/image";
    const std::string command = "fsck.erofs '" + image + "' > '" + dir.path() + "/said' 2>&1";
    const std::vector<Row> all = rows();
    EXPECT_GT(all.size(), 200U);
    for (const Row& row : all) {
        SCOPED_TRACE(row.file + " V" + std::to_string(static_cast<int>(row.options.min_version)));
        const FileTree tree =
            read_dump(read_data("dumps/" + row.file), row.dialect, HashAlgorithm::Sha256);
        MemorySink bytes(std::size_t{256} << 20);
        (void)write_erofs(tree, row.options, bytes);
        const std::string_view text = as_text(bytes.bytes());
        std::ofstream(image, std::ios::binary) << text;
        // NOLINTNEXTLINE(cert-env33-c): the path is our own
        const bool accepted = std::system(command.c_str()) == 0;
        EXPECT_NE(accepted, lacks_chunks(row));
        if (accepted || lacks_chunks(row)) continue;
        std::ifstream said(dir.path() + "/said");
        ADD_FAILURE() << std::string(std::istreambuf_iterator<char>(said), {});
    }
}

}  // namespace
}  // namespace cfs::image::test
