// SPDX-License-Identifier: Apache-2.0
#include "base/fs_at.hpp"
#include "crypto/hasher.hpp"
#include "net/image_source.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "test_image.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace cfs::net {
namespace {

using test::descriptor_json;
using test::expect_error;
using test::index_json;
using test::kAmd64;
using test::platform_json;
using test::tag_json;
using test::TempDir;
using test::TestImage;

std::string blob_path(std::string_view content) {
    return "blobs/sha256/" + hash(HashAlgorithm::Sha256, as_bytes(content)).hex();
}

class LayoutSourceTest : public testing::Test {
 protected:
    LayoutSourceTest() { dir_.write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"); }

    void add(const std::string& content) { dir_.write(blob_path(content), content); }

    void add(const TestImage& image) {
        add(image.config());
        add(image.manifest());
        for (const std::string& layer : image.layers)
            add(layer);
    }

    void index(const std::vector<std::string>& entries) {
        dir_.write("index.json", index_json(entries));
    }

    std::unique_ptr<ImageSource> open(const std::string& tag = "") {
        return open_source(parse_image_ref("oci:" + dir_.path() + (tag.empty() ? "" : ":" + tag)),
                           {});
    }

    Resolved resolve(const std::string& tag = "", const Platform& platform = kAmd64) {
        return open(tag)->resolve(platform, {});
    }

    static std::string entry(const TestImage& image, const std::string& more = "") {
        return descriptor_json(kOciManifest, image.manifest(), more);
    }

    TempDir dir_;
    TestImage image_;
};

TEST_F(LayoutSourceTest, OneEntryNeedsNeitherTagNorPlatform) {
    add(image_);
    index({entry(image_)});
    const Resolved found = resolve();
    EXPECT_EQ(to_oci(found.manifest_digest), test::oci_digest(image_.manifest()));
    EXPECT_EQ(as_text(found.manifest_bytes), image_.manifest());
    EXPECT_EQ(as_text(found.config_bytes), image_.config());
    EXPECT_EQ(found.manifest.layers.size(), 2U);
    EXPECT_EQ(found.config.diff_ids.size(), 2U);
    EXPECT_EQ(found.reference, "oci:" + dir_.path());
}

TEST_F(LayoutSourceTest, TheTagChooses) {
    const TestImage other{{"third layer"}};
    add(image_);
    add(other);
    index({entry(image_, tag_json("v1")), entry(other, tag_json("v2"))});
    EXPECT_EQ(as_text(resolve("v2").manifest_bytes), other.manifest());
    EXPECT_EQ(as_text(resolve("v1").manifest_bytes), image_.manifest());
}

TEST_F(LayoutSourceTest, WithoutATagTheTagsThereAreNamed) {
    index({entry(image_, tag_json("v1")), entry(image_, tag_json("v2"))});
    expect_error(
        ErrorCode::NotFound, "no tag is given; the layout has 2 entries", [&] { (void)resolve(); });
    expect_error(ErrorCode::NotFound, "the tags 'v1', 'v2'", [&] { (void)resolve("v3"); });
}

TEST_F(LayoutSourceTest, OneTagForSeveralPlatforms) {
    TestImage arm;
    arm.architecture = "arm64";
    add(image_);
    add(arm);
    index({entry(arm, tag_json("v1") + platform_json("arm64")),
           entry(image_, tag_json("v1") + platform_json("amd64"))});
    EXPECT_EQ(resolve("v1").config.architecture, "amd64");
    EXPECT_EQ(resolve("v1", {"linux", "arm64", "v8"}).config.architecture, "arm64");
}

TEST_F(LayoutSourceTest, AnIndexInsideTheIndexIsFollowed) {
    add(image_);
    const std::string nested =
        index_json({descriptor_json(kOciManifest, "other", platform_json("arm64")),
                    entry(image_, platform_json("amd64"))});
    add(nested);
    index({descriptor_json(kOciIndex, nested, tag_json("multi"))});
    EXPECT_EQ(as_text(resolve("multi").manifest_bytes), image_.manifest());
}

TEST_F(LayoutSourceTest, NoEntryForThePlatform) {
    index({entry(image_, platform_json("arm64"))});
    expect_error(ErrorCode::NotOurs, "only for linux/arm64", [&] { (void)resolve(); });
}

TEST_F(LayoutSourceTest, AnEmptyDirectoryIsNoLayout) {
    const TempDir empty;
    expect_error(ErrorCode::NotFound, "no OCI image layout", [&] {
        (void)open_source(parse_image_ref("oci:" + empty.path()), {})->resolve(kAmd64, {});
    });
}

TEST_F(LayoutSourceTest, AMissingDirectoryIsNamed) {
    expect_error(ErrorCode::NotFound, "there is no directory '" + (dir_ / "none") + "'", [&] {
        (void)open_source(parse_image_ref("oci:" + (dir_ / "none")), {});
    });
}

TEST_F(LayoutSourceTest, ArtifactsAreNoImages) {
    image_.config_type = "application/vnd.oci.empty.v1+json";
    add(image_);
    index({entry(image_)});
    expect_error(ErrorCode::Unsupported, "vnd.oci.empty.v1+json", [&] { (void)resolve(); });
}

TEST_F(LayoutSourceTest, LayersAndDiffIdsMustBeAsMany) {
    const TestImage one{{"layer one"}};
    const std::string config = one.config();
    std::string manifest = image_.manifest();
    const std::string mine = descriptor_json(kOciConfig, image_.config());
    manifest.replace(manifest.find(mine), mine.size(), descriptor_json(kOciConfig, config));
    add(config);
    add(manifest);
    index({descriptor_json(kOciManifest, manifest)});
    expect_error(
        ErrorCode::BadFormat, "2 layers and the config 1 diff_ids", [&] { (void)resolve(); });
}

TEST_F(LayoutSourceTest, BlobsAreStreamedAndCounted) {
    const std::string content(700'000, 'x');
    add(content);
    const auto source = open();
    MemorySink sink(1'000'000);
    source->fetch_blob(test::descriptor_of(content), sink, {});
    EXPECT_EQ(as_text(sink.bytes()), content);
    EXPECT_EQ(source->bytes_fetched(), 700'000U);
}

TEST_F(LayoutSourceTest, AFlippedByteIsADigestMismatch) {
    dir_.write(blob_path("content"), "cOntent");
    MemorySink sink(100);
    expect_error(ErrorCode::DigestMismatch, "has other bytes", [&] {
        open()->fetch_blob(test::descriptor_of("content"), sink, {});
    });
}

TEST_F(LayoutSourceTest, AnotherLengthIsRefusedBeforeTheSinkSeesAByte) {
    dir_.write(blob_path("content"), "content and more");
    MemorySink sink(100);
    expect_error(ErrorCode::DigestMismatch, "must have 7 bytes but has 16", [&] {
        open()->fetch_blob(test::descriptor_of("content"), sink, {});
    });
    EXPECT_TRUE(sink.bytes().empty());
}

TEST_F(LayoutSourceTest, AMissingBlobIsNamed) {
    MemorySink sink(100);
    expect_error(ErrorCode::NotFound, test::oci_digest("content"), [&] {
        open()->fetch_blob(test::descriptor_of("content"), sink, {});
    });
}

TEST_F(LayoutSourceTest, BlobsBehindLinksAndOddFilesAreRefused) {
    MemorySink sink(100);
    dir_.write("elsewhere", "content");
    dir_.write(blob_path("other"), "other");
    ASSERT_EQ(::symlink((dir_ / "elsewhere").c_str(), (dir_ / blob_path("content")).c_str()), 0);
    EXPECT_THROW(open()->fetch_blob(test::descriptor_of("content"), sink, {}), Error);
    ASSERT_EQ(::mkfifo((dir_ / blob_path("fifo")).c_str(), 0600), 0);
    expect_error(ErrorCode::BadFormat, "no regular file", [&] {
        open()->fetch_blob(test::descriptor_of("fifo"), sink, {});
    });
    EXPECT_TRUE(sink.bytes().empty());
}

TEST_F(LayoutSourceTest, StoppingIsCancelled) {
    add("content");
    std::stop_source stop;
    stop.request_stop();
    MemorySink sink(100);
    expect_error(ErrorCode::Cancelled, "", [&] {
        open()->fetch_blob(test::descriptor_of("content"), sink, stop.get_token());
    });
}

TEST_F(LayoutSourceTest, AnUnpackedArchiveKeepsItsOwnName) {
    add(image_);
    index({entry(image_)});
    const auto source = open_layout(open_root(dir_.path()), "", "oci-archive:/x.tar");
    EXPECT_EQ(source->resolve(kAmd64, {}).reference, "oci-archive:/x.tar");
}

}  // namespace
}  // namespace cfs::net
