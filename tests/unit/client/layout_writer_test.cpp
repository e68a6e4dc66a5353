// SPDX-License-Identifier: Apache-2.0
#include "client/seal/layout_writer.hpp"

#include "client/seal/documents.hpp"
#include "crypto/hasher.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs::client {
namespace {

const std::string kConfigText =
    R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[)"
    R"("sha256:0f8e3a8b8b6b1d8f9b1b1c1e0d0c0b0a09080706050403020100aabbccddeeff"]}})";

/// Writes an image of one layer and returns the descriptor of its manifest.
net::Descriptor write_image(LayoutWriter& writer, const std::string& tag) {
    const net::Descriptor layer = describe_blob(kPlainLayer, as_bytes("the layer"));
    const net::Descriptor config = describe_blob(net::kOciConfig, as_bytes(kConfigText));
    const std::string manifest =
        R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",)"
        R"("digest":")" +
        to_oci(config.digest) + R"(","size":)" + std::to_string(config.size) +
        R"(},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" +
        to_oci(layer.digest) + R"(","size":)" + std::to_string(layer.size) + "}]}";
    const net::Descriptor manifest_blob = describe_blob(net::kOciManifest, as_bytes(manifest));
    writer.put_blob(layer, as_bytes("the layer"));
    writer.put_blob(config, as_bytes(kConfigText));
    writer.put_blob(manifest_blob, as_bytes(manifest));
    writer.set_tag(tag, manifest_blob);
    return manifest_blob;
}

net::Resolved resolve(const std::string& path, const std::string& tag) {
    return net::open_source(net::parse_image_ref("oci:" + path + ":" + tag), {})
        ->resolve({"linux", "amd64", ""}, {});
}

TEST(LayoutWriter, WritesWhatTheReaderReads) {
    const test::TempDir dir;
    const std::string out = dir / "a/new/layout";
    const net::Descriptor manifest = [&] {
        LayoutWriter writer(out);
        return write_image(writer, "v1");
    }();
    EXPECT_EQ(resolve(out, "v1").manifest_digest, manifest.digest);
}

TEST(LayoutWriter, AddsToALayoutThatIsThere) {
    const test::TempDir dir;
    {
        LayoutWriter writer(dir.path());
        write_image(writer, "v1");
    }
    {
        LayoutWriter writer(dir.path());
        write_image(writer, "v2");
    }
    EXPECT_EQ(resolve(dir.path(), "v1").manifest_digest, resolve(dir.path(), "v2").manifest_digest);
}

TEST(LayoutWriter, ReplacesADamagedBlob) {
    const test::TempDir dir;
    const net::Descriptor blob = describe_blob(kPlainLayer, as_bytes("right"));
    dir.write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    dir.write("blobs/sha256/" + blob.digest.hex(), "wrong");
    LayoutWriter(dir.path()).put_blob(blob, as_bytes("right"));
    EXPECT_EQ(dir.read("blobs/sha256/" + blob.digest.hex()), "right");
}

TEST(LayoutWriter, CopiesBlobsAndLeavesNothingOfAFailedCopy) {
    const test::TempDir from;
    const test::TempDir to;
    {
        LayoutWriter writer(from.path());
        write_image(writer, "v1");
    }
    const auto source = net::open_source(net::parse_image_ref("oci:" + from.path() + ":v1"), {});
    const net::Descriptor layer = resolve(from.path(), "v1").manifest.layers.front();
    LayoutWriter writer(to.path());
    net::Descriptor wrong = layer;
    wrong.digest = hash(HashAlgorithm::Sha256, as_bytes("not there"));
    test::expect_error(ErrorCode::NotFound, "", [&] { writer.copy_blob(*source, wrong, {}); });
    EXPECT_TRUE(std::filesystem::is_empty(to / "blobs/sha256"));
    writer.copy_blob(*source, layer, {});
    EXPECT_EQ(to.read("blobs/sha256/" + layer.digest.hex()), "the layer");
}

TEST(LayoutWriter, RefusesADirectoryOfSomethingElse) {
    const test::TempDir dir;
    dir.write("letter.txt", "dear");
    test::expect_error(ErrorCode::InvalidArgs, "neither empty nor an OCI layout", [&] {
        LayoutWriter w(dir.path());
    });
    EXPECT_FALSE(std::filesystem::exists(dir / "oci-layout"));
}

TEST(LayoutWriter, HasNoSecondWriterBesideIt) {
    const test::TempDir dir;
    const LayoutWriter first(dir.path());
    test::expect_error(ErrorCode::Busy, dir.path(), [&] { LayoutWriter second(dir.path()); });
}

}  // namespace
}  // namespace cfs::client
