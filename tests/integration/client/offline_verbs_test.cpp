// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "child.hpp"
#include "client/seal/documents.hpp"
#include "client/seal/input_file.hpp"
#include "client/seal/layout_writer.hpp"
#include "crypto/digest.hpp"
#include "crypto/hasher.hpp"
#include "support/temp_dir.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace cfs::test {
namespace {

/// One row of composefs-rs' digests, tests/data/oci.
struct Golden {
    std::string layers, hash, xattrs, kind, version, digest;
    std::string boot_mtime;
};

std::vector<Golden> read_golden(const std::string& file, const std::string& boot_mtime) {
    std::vector<Golden> out;
    std::ifstream in(CFS_TEST_DATA "/oci/" + file);
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        Golden row;
        fields >> row.layers >> row.hash >> row.xattrs >> row.kind >> row.version >> row.digest;
        row.boot_mtime = boot_mtime;
        if (row.version == "V1" || row.version == "V2") out.push_back(row);
    }
    return out;
}

std::vector<Golden> all_golden() {
    std::vector<Golden> out = read_golden("expected.tsv", "seconds");
    const std::vector<Golden> newer = read_golden("expected-post396.tsv", "full");
    out.insert(out.end(), newer.begin(), newer.end());
    return out;
}

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, at);)
        out.push_back(part);
    return out;
}

/// Writes an image of plain tar layers and tags it.
void write_image(const std::string& dir, const std::vector<std::string>& tars) {
    using namespace client;
    LayoutWriter writer(dir);
    boost::json::array diff_ids;
    boost::json::array layers;
    for (const std::string& tar : tars) {
        const Bytes content = read_input(CFS_TEST_DATA "/oci/" + tar, 1 << 24);
        const net::Descriptor blob = describe_blob(kPlainLayer, content);
        writer.put_blob(blob, content);
        diff_ids.emplace_back(to_oci(blob.digest));
        layers.push_back(boost::json::object{
            {"mediaType", blob.media_type}, {"digest", to_oci(blob.digest)}, {"size", blob.size}});
    }
    const auto put = [&writer](std::string_view type, const boost::json::object& document) {
        const std::string text = boost::json::serialize(document);
        const net::Descriptor blob = describe_blob(type, as_bytes(text));
        writer.put_blob(blob, as_bytes(text));
        return blob;
    };
    const net::Descriptor config =
        put(net::kOciConfig,
            {{"architecture", "amd64"},
             {"os", "linux"},
             {"rootfs", boost::json::object{{"type", "layers"}, {"diff_ids", diff_ids}}}});
    writer.set_tag("tag",
                   put(net::kOciManifest,
                       {{"schemaVersion", 2},
                        {"mediaType", net::kOciManifest},
                        {"config",
                         boost::json::object{{"mediaType", config.media_type},
                                             {"digest", to_oci(config.digest)},
                                             {"size", config.size}}},
                        {"layers", layers}}));
}

class ImageDigest : public testing::TestWithParam<Golden> {};

TEST_P(ImageDigest, IsWhatComposefsRsComputes) {
    const Golden& row = GetParam();
    const TempDir dir;
    write_image(dir / "layout", split(row.layers, '+'));
    std::vector<std::string> argv = {
        CFS_CFSCTL, "image", "digest", "oci:" + dir / "layout" + ":tag"};
    argv.insert(argv.end(), {"--hash", row.hash, "--xattrs", row.xattrs});
    argv.insert(argv.end(), {"--format", row.version == "V1" ? "v1" : "v2"});
    argv.insert(argv.end(), {"--boot-mtime", row.boot_mtime});
    if (row.kind != "plain") argv.emplace_back("--bootable");
    const Ended ended = run(argv);
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.out, row.digest + "\n");
}

std::string golden_name(const testing::TestParamInfo<Golden>& test) {
    const Golden& row = test.param;
    std::string out = row.layers + "_" + row.hash + "_" + row.xattrs + "_" + row.kind + "_" +
                      row.version + "_" + row.boot_mtime;
    std::replace_if(
        out.begin(),
        out.end(),
        [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; },
        '_');
    return out;
}

INSTANTIATE_TEST_SUITE_P(ComposefsRs, ImageDigest, testing::ValuesIn(all_golden()), golden_name);

TEST(ImageDigestErrors, GoToStandardErrorWithAHint) {
    const Ended ended = run({CFS_CFSCTL, "image", "digest", "oci:/nonexistent:tag"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err.find("/nonexistent"), std::string::npos);
    EXPECT_NE(ended.err.find("\n  hint: "), std::string::npos);
}

TEST(ImageDigestErrors, AMissingTagNamesTheOnesThere) {
    const TempDir dir;
    write_image(dir / "layout", {"base.tar"});
    const Ended ended = run({CFS_CFSCTL, "image", "digest", "oci:" + dir / "layout" + ":other"});
    EXPECT_EQ(ended.code, 3) << ended.err;
    EXPECT_NE(ended.err.find("tag"), std::string::npos) << ended.err;
}

TEST(Usage, IsExitCode1WithNothingOnStandardOutput) {
    const Ended ended = run({CFS_CFSCTL, "image", "digest"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.out, "");
}

TEST(StandardOutput, ThatIsFullIsAnError) {
    const TempDir dir;
    write_image(dir / "layout", {"base.tar"});
    const Ended ended =
        run({"sh",
             "-c",
             std::string(CFS_CFSCTL) + " image digest oci:" + dir / "layout" + ":tag > /dev/full"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_NE(ended.err.find("standard output"), std::string::npos) << ended.err;
}

TEST(StoreFsck, OfNoStoreIsNotFound) {
    const TempDir dir;
    EXPECT_EQ(run({CFS_CFSCTL, "store", "fsck", "--store", dir / "none"}).code, 3);
}

}  // namespace
}  // namespace cfs::test
