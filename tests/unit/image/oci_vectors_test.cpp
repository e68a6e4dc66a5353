// SPDX-License-Identifier: Apache-2.0
// Layers -> tree -> transforms -> image against the digests that composefs-rs gives the same
// layers.
#include "crypto/fsverity.hpp"
#include "image/layers.hpp"
#include "image/transform.hpp"
#include "unit/image/tar_store.hpp"
#include "unit/image/vectors.hpp"

#include <gtest/gtest.h>

namespace cfs::image::test {
namespace {

struct Row {
    std::string layers;  ///< "base.tar+upper.tar"
    std::string algorithm;
    std::string xattrs;
    std::string kind;
    std::string version;
    std::string digest;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.layers << ' ' << row.algorithm << ' ' << row.xattrs << ' ' << row.kind << ' '
               << row.version;
}

std::vector<Row> rows() {
    std::vector<Row> result;
    for (const char* table : {"oci/expected.tsv", "oci/expected-post396.tsv"}) {
        for (const auto& line : read_table(table)) {
            result.push_back({line[0], line[1], line[2], line[3], line[4], line[5]});
        }
    }
    return result;
}

FileTree merge(const std::string& layers, TarStore& store) {
    std::istringstream names(layers);
    LayerMerger merger;
    for (std::string name; std::getline(names, name, '+');) {
        for (TarEntry& entry : store.read(read_data("oci/" + name)))
            merger.apply(std::move(entry));
        merger.next_layer();
    }
    return merger.take();
}

FileTree composed(const Row& row, TarStore& store) {
    FileTree tree = merge(row.layers, store);
    oci_transform(
        tree,
        row.xattrs == "allowlist-only" ? XattrMode::AllowlistOnly : XattrMode::KeepUserXattrs);
    if (row.kind == "plain") return tree;
    const auto mtime = row.kind == "bootable" ? BootMtime::Seconds : BootMtime::Full;
    boot_transform(tree, mtime, [&store](const Inode& inode) { return store.content(inode); });
    return tree;
}

class OciVector : public testing::TestWithParam<Row> {};

TEST_P(OciVector, GivesTheDigestOfComposefsRs) {
    const Row& row = GetParam();
    const HashAlgorithm algorithm = algorithm_named(row.algorithm);
    TarStore store(algorithm);
    const Bytes image = write_erofs(composed(row, store), version_named(row.version), algorithm);
    EXPECT_EQ(verity_digest(algorithm, image).hex(), row.digest);
}

INSTANTIATE_TEST_SUITE_P(Rs, OciVector, testing::ValuesIn(rows()), [](const auto& param) {
    const Row& row = param.param;
    return test_name(row.layers + '_' + row.algorithm + '_' + row.xattrs + '_' + row.kind + '_' +
                     row.version);
});

}  // namespace
}  // namespace cfs::image::test
