// SPDX-License-Identifier: Apache-2.0
#include "archive/decompress.hpp"
#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace cfs::archive {
namespace {

using test::expect_error;

TEST(LayerMediaType, OciAndDockerTypesAreKnown) {
    const std::string oci = "application/vnd.oci.image.layer.v1.tar";
    EXPECT_EQ(compression_from_media_type(oci), Compression::None);
    EXPECT_EQ(compression_from_media_type(oci + "+gzip"), Compression::Gzip);
    EXPECT_EQ(compression_from_media_type(oci + "+zstd"), Compression::Zstd);
    const std::string docker = "application/vnd.docker.image.rootfs.diff.tar";
    EXPECT_EQ(compression_from_media_type(docker), Compression::None);
    EXPECT_EQ(compression_from_media_type(docker + ".gzip"), Compression::Gzip);
    EXPECT_EQ(compression_from_media_type(docker + ".zstd"), Compression::Zstd);
}

TEST(LayerMediaType, OthersAreRefusedWithTheReason) {
    const auto refused = [](std::string_view type, std::string_view reason) {
        expect_error(
            ErrorCode::Unsupported, reason, [&] { (void)compression_from_media_type(type); });
    };
    refused("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "is encrypted");
    refused("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "foreign layer");
    refused("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "foreign layer");
    refused("application/vnd.oci.image.layer.v1.tar+xz", "is unknown");
    refused("text/html\n", "'text/html\\x0a' is unknown");
    refused("", "is unknown");
}

TEST(SniffCompression, KnowsTwoMagicNumbers) {
    EXPECT_EQ(sniff_compression(Bytes{0x1f, 0x8b}), Compression::Gzip);
    EXPECT_EQ(sniff_compression(Bytes{0x28, 0xb5, 0x2f, 0xfd}), Compression::Zstd);
    EXPECT_FALSE(sniff_compression(Bytes{0x1f}));
    EXPECT_FALSE(sniff_compression(as_bytes("plain text")));
}

}  // namespace
}  // namespace cfs::archive
