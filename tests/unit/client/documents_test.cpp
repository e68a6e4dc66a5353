// SPDX-License-Identifier: Apache-2.0
#include "client/seal/documents.hpp"

#include "crypto/hasher.hpp"
#include "image/tar_reader.hpp"
#include "support/expect_error.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace cfs::client {
namespace {

namespace json = boost::json;

json::value parsed(const Bytes& document) {
    return json::parse(std::string(as_text(document)));
}

const std::string kConfig =
    R"({"created":"2026-01-01T00:00:00Z","architecture":"amd64","os":"linux","x-unknown":[1,2.5],)"
    R"("rootfs":{"type":"layers","diff_ids":["sha256:aa"]},"history":[{"created_by":"base"}]})";

const std::string kManifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
    R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:cc",)"
    R"("size":3},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",)"
    R"("digest":"sha256:ll","size":4}],"annotations":{"kept":"yes"}})";

net::Descriptor blob(std::string_view type, std::string_view content) {
    return describe_blob(type, as_bytes(content));
}

TEST(SealedConfig, GetsTheDiffIdAndAHistoryEntry) {
    const Digest diff_id = hash(HashAlgorithm::Sha256, as_bytes("layer"));
    const json::value config = parsed(config_with_layer(as_bytes(kConfig), diff_id));
    const json::array& diff_ids = config.at("rootfs").at("diff_ids").as_array();
    ASSERT_EQ(diff_ids.size(), 2U);
    EXPECT_EQ(diff_ids[0].as_string(), "sha256:aa");
    EXPECT_EQ(diff_ids[1].as_string(), to_oci(diff_id));
    const json::array& history = config.at("history").as_array();
    ASSERT_EQ(history.size(), 2U);
    EXPECT_EQ(history[1].at("created").as_string(), "2026-01-01T00:00:00Z");
}

TEST(SealedConfig, KeepsWhatItDoesNotKnow) {
    const json::value config =
        parsed(config_with_layer(as_bytes(kConfig), hash(HashAlgorithm::Sha256, {})));
    EXPECT_EQ(config.at("x-unknown"), json::parse("[1,2.5]"));
    EXPECT_EQ(config.at("architecture").as_string(), "amd64");
}

TEST(SealedConfig, AnImageWithoutHistoryGetsNone) {
    const json::value config = parsed(config_with_layer(as_bytes(R"({"rootfs":{"diff_ids":[]}})"),
                                                        hash(HashAlgorithm::Sha256, {})));
    EXPECT_FALSE(config.as_object().contains("history"));
}

TEST(SealedConfig, WithoutDiffIdsIsRefused) {
    test::expect_error(ErrorCode::BadFormat, "diff_ids", [] {
        static_cast<void>(config_with_layer(as_bytes(R"({"rootfs":{}})"), Digest()));
    });
    test::expect_error(ErrorCode::BadFormat, "JSON", [] {
        static_cast<void>(config_with_layer(as_bytes("<html>"), Digest()));
    });
}

TEST(SealedManifest, NamesTheNewConfigAndTheAnnotatedLayer) {
    const net::Descriptor config = blob(net::kOciConfig, "config");
    const net::Descriptor layer = blob(kPlainLayer, "layer");
    const json::value manifest =
        parsed(manifest_with_layer(as_bytes(kManifest), config, layer, {}));
    EXPECT_EQ(manifest.at("config").at("digest").as_string(), to_oci(config.digest));
    EXPECT_EQ(manifest.at("config").at("size").to_number<int>(), 6);
    const json::array& layers = manifest.at("layers").as_array();
    ASSERT_EQ(layers.size(), 2U);
    EXPECT_EQ(layers[0].at("digest").as_string(), "sha256:ll");
    EXPECT_EQ(layers[1].at("digest").as_string(), to_oci(layer.digest));
    EXPECT_EQ(layers[1].at("mediaType").as_string(), "application/vnd.oci.image.layer.v1.tar");
    EXPECT_EQ(layers[1].at("annotations").at("org.cfsupdate1.layer").as_string(), "uki");
    EXPECT_EQ(manifest.at("annotations").at("kept").as_string(), "yes");
}

TEST(SealedManifest, TellsHowBigTheLayersAreUnpacked) {
    const net::Descriptor layer = blob(kPlainLayer, "layer");
    const json::value manifest = parsed(manifest_with_layer(
        as_bytes(kManifest), blob(net::kOciConfig, "config"), layer, {5'000'000'000}));
    const json::array& layers = manifest.at("layers").as_array();
    EXPECT_EQ(layers[0].at("annotations").at("org.cfsupdate1.unpacked-size").as_string(),
              "5000000000");
    EXPECT_FALSE(layers[1].at("annotations").as_object().contains("org.cfsupdate1.unpacked-size"));
}

TEST(SealedManifest, TheSameInputGivesTheSameBytes) {
    const net::Descriptor config = blob(net::kOciConfig, "config");
    const net::Descriptor layer = blob(kPlainLayer, "layer");
    EXPECT_EQ(manifest_with_layer(as_bytes(kManifest), config, layer, {}),
              manifest_with_layer(as_bytes(kManifest), config, layer, {}));
}

TEST(SealedManifest, IsNotSealedTwice) {
    const net::Descriptor layer = blob(kPlainLayer, "layer");
    const Bytes sealed =
        manifest_with_layer(as_bytes(kManifest), blob(net::kOciConfig, "c"), layer, {});
    test::expect_error(ErrorCode::InvalidArgs, "sealed already", [&] {
        static_cast<void>(manifest_with_layer(sealed, blob(net::kOciConfig, "d"), layer, {}));
    });
}

TEST(SealedManifest, OfAnotherFormatIsRefused) {
    test::expect_error(ErrorCode::Unsupported, "docker", [] {
        static_cast<void>(manifest_with_layer(
            as_bytes(R"({"mediaType":"application/vnd.docker.distribution.manifest.v2+json"})"),
            blob(net::kOciConfig, "c"),
            blob(kPlainLayer, "l"),
            {}));
    });
}

TEST(SealedIndex, AMovedTagHasOneEntry) {
    const net::Descriptor one = blob(net::kOciManifest, "one");
    const net::Descriptor two = blob(net::kOciManifest, "two");
    const Bytes first = index_with_manifest(std::nullopt, one, "v1");
    const Bytes second = index_with_manifest(first, one, "other");
    const net::Index index = net::parse_index(index_with_manifest(second, two, "v1"));
    ASSERT_EQ(index.manifests.size(), 2U);
    EXPECT_EQ(index.manifests[0].digest, one.digest);
    EXPECT_EQ(index.manifests[0].annotations.at("org.opencontainers.image.ref.name"), "other");
    EXPECT_EQ(index.manifests[1].digest, two.digest);
    EXPECT_EQ(index.manifests[1].annotations.at("org.opencontainers.image.ref.name"), "v1");
}

TEST(UkiFileName, IsMadeOfIdAndVersion) {
    EXPECT_EQ(uki_file_name(uki::OsRelease::parse("ID=debian\nVERSION_ID=13\n")), "debian_13.efi");
    EXPECT_EQ(uki_file_name(uki::OsRelease::parse("ID=a\nIMAGE_ID=Kiosk\nIMAGE_VERSION=2026.9\n")),
              "kiosk_2026.9.efi");
    EXPECT_EQ(uki_file_name(uki::OsRelease()), "linux.efi");
}

TEST(UkiFileName, HasNothingThatReadsAsACounterOrAPath) {
    EXPECT_EQ(uki_file_name(uki::OsRelease::parse("ID=x\nVERSION_ID=\"1+3-0/../a b\"\n")),
              "x_1-3-0-..-a-b.efi");
}

/// Keeps the entries of a tar and the bytes of external files.
class Recorder final : public image::TarHandler {
 public:
    void literal(ByteView) override {}

    void file_begin(std::uint64_t) override { data_.clear(); }

    void file_data(ByteView part) override { data_.insert(data_.end(), part.begin(), part.end()); }

    Digest file_end() override { return hash(HashAlgorithm::Sha256, data_); }

    void entry(image::TarEntry&& entry) override { entries.push_back(std::move(entry)); }

    std::vector<image::TarEntry> entries;

 private:
    Bytes data_;
};

std::vector<image::TarEntry> read_tar(const Bytes& tar) {
    Recorder recorder;
    image::TarReader reader(recorder, {100, 1 << 20, 1 << 20});
    reader.feed(tar);
    reader.finish();
    return recorder.entries;
}

class UkiLayer : public testing::TestWithParam<std::size_t> {};

TEST_P(UkiLayer, HoldsTheDirectoriesAndTheUkiButNotBootItself) {
    const Bytes uki(GetParam(), 0x5a);
    const auto entries = read_tar(uki_layer("x.efi", uki));
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].path, "boot/EFI");
    EXPECT_EQ(entries[1].path, "boot/EFI/Linux");
    EXPECT_EQ(entries[0].meta.mode, 0755U);
    EXPECT_EQ(entries[2].path, "boot/EFI/Linux/x.efi");
    EXPECT_EQ(entries[2].size, uki.size());
    EXPECT_EQ(entries[2].external, hash(HashAlgorithm::Sha256, uki));
    for (const auto& entry : entries) {
        EXPECT_EQ(entry.meta.uid, 0U);
        EXPECT_EQ(entry.meta.mtime_sec, 0);
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, UkiLayer, testing::Values(65, 511, 512, 513, 4096));

TEST(UkiLayerName, ThatDoesNotFitAHeaderIsRefused) {
    test::expect_error(ErrorCode::InvalidArgs, "99 bytes", [] {
        static_cast<void>(uki_layer(std::string(90, 'x') + ".efi", Bytes(100)));
    });
}

}  // namespace
}  // namespace cfs::client
