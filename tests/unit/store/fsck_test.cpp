// SPDX-License-Identifier: Apache-2.0
#include "store/fsck.hpp"

#include "base/fs_at.hpp"
#include "crypto/fsverity.hpp"
#include "store/splitstream.hpp"
#include "store_fixture.hpp"

#include <gtest/gtest.h>

namespace cfs::store {
namespace {

using test::NewStore;

const ImageObjects kNoObjects = [](ByteView) { return std::vector<Digest>{}; };

class Fsck : public testing::Test {
 protected:
    /// The one finding, "kind path"; the whole list when there is not exactly one.
    std::string finding(const ImageObjects& image_objects = kNoObjects) {
        std::string out;
        for (const auto& found : fsck(*store_, image_objects, false).findings) {
            if (!out.empty()) out += "; ";
            out += std::string(to_string(found.kind)) + " " + found.path;
        }
        return out;
    }

    NewStore store_;
};

TEST_F(Fsck, NewStoreIsClean) {
    EXPECT_TRUE(fsck(*store_, kNoObjects, false).clean);
}

TEST_F(Fsck, CountsWhatItLookedAt) {
    const Digest image = store_.put("image");
    store_->link_image(image);
    store_->set_image_ref("pin", image);
    const FsckReport report = fsck(*store_, kNoObjects, false);
    EXPECT_TRUE(report.clean);
    EXPECT_EQ(report.objects_checked, 1U);
    EXPECT_EQ(report.bytes_checked, 5U);
    EXPECT_EQ(report.images_checked, 1U);
    EXPECT_EQ(report.refs_checked, 1U);
}

TEST_F(Fsck, FindsTheDamagedObject) {
    const Digest digest = store_.put("content");
    store_.damage(digest);
    EXPECT_EQ(finding(), "object objects/" + object_path(digest));
}

TEST_F(Fsck, MetadataOnlyDoesNotReadObjects) {
    store_.damage(store_.put("content"));
    const FsckReport report = fsck(*store_, kNoObjects, true);
    EXPECT_TRUE(report.clean);
    EXPECT_EQ(report.bytes_checked, 0U);
}

TEST_F(Fsck, PuttingADamagedObjectAgainMakesItClean) {
    store_.damage(store_.put("content"));
    (void)store_.put("content");
    EXPECT_TRUE(fsck(*store_, kNoObjects, false).clean);
}

TEST_F(Fsck, FindsAStrayName) {
    store_.dir().write("objects/ab/stray", "?");
    EXPECT_EQ(finding(), "stray objects/ab/stray");
}

TEST_F(Fsck, FindsAPlainFileAmongTheImages) {
    store_.dir().write("images/stray", "?");
    EXPECT_EQ(finding(), "stray images/stray");
}

TEST_F(Fsck, FindsAStreamWhoseObjectIsMissing) {
    const Digest digest = verity_digest(HashAlgorithm::Sha256, as_bytes("never stored"));
    store_->link_stream("name", digest);
    EXPECT_EQ(finding(), "missing-object streams/name");
}

TEST_F(Fsck, FindsAnObjectThatIsNoSplitstream) {
    store_->link_stream("name", store_.put("no splitstream, but long enough to hold a header"));
    EXPECT_EQ(finding(), "stream streams/name");
}

TEST_F(Fsck, FindsAMissingExternalObject) {
    SplitstreamWriter writer(*store_);
    writer.external(verity_digest(HashAlgorithm::Sha256, as_bytes("never stored")), 12);
    store_->link_stream("name", writer.finish(kOciLayer));
    EXPECT_EQ(finding(), "missing-object streams/name");
}

TEST_F(Fsck, FindsAStreamThatDeclaresAnotherLength) {
    SplitstreamWriter writer(*store_);
    writer.external(store_.put("seven"), 7);
    store_->link_stream("name", writer.finish(kOciLayer));
    EXPECT_EQ(finding(), "stream streams/name");
}

TEST_F(Fsck, FindsAnObjectThatAnImageMisses) {
    const Digest image = store_.put("image");
    store_->link_image(image);
    const Digest missing = verity_digest(HashAlgorithm::Sha256, as_bytes("never stored"));
    EXPECT_EQ(finding([&](ByteView) { return std::vector<Digest>{missing}; }),
              "missing-object images/" + image.hex());
}

TEST_F(Fsck, FindsAnImageThatIsNone) {
    const Digest image = store_.put("image");
    store_->link_image(image);
    EXPECT_EQ(finding([](ByteView) -> std::vector<Digest> {
                  throw Error(ErrorCode::BadFormat, "no EROFS magic");
              }),
              "image images/" + image.hex());
}

TEST_F(Fsck, FindsAnImageUnderAnotherName) {
    const Digest image = store_.put("image");
    store_->link_image(image);
    const std::string wrong(64, '0');
    ASSERT_EQ(::rename((store_.dir() / ("images/" + image.hex())).c_str(),
                       (store_.dir() / ("images/" + wrong)).c_str()),
              0);
    EXPECT_EQ(finding(), "image images/" + wrong);
}

TEST_F(Fsck, FindsARefToNothing) {
    make_dirs_at(store_.dir().fd(), "streams/refs/oci", 0755);
    ASSERT_EQ(::symlink("../../gone", (store_.dir() / "streams/refs/oci/tag").c_str()), 0);
    EXPECT_EQ(finding(), "ref streams/refs/oci/tag");
}

TEST_F(Fsck, FindsBrokenMeta) {
    store_.dir().write("meta.json", "{");
    EXPECT_EQ(finding(), "meta meta.json");
}

TEST_F(Fsck, PrivateFilesInTheRootAreNobodysBusiness) {
    store_.dir().write("private/state", "ours");
    store_.dir().write("objects/.tmp-object-abcdefABCDEF", "half");
    EXPECT_TRUE(fsck(*store_, kNoObjects, false).clean);
}

TEST_F(Fsck, AStopIsCancelled) {
    (void)store_.put("content");
    std::stop_source stop;
    stop.request_stop();
    EXPECT_ERROR(fsck(*store_, kNoObjects, false, stop.get_token()), ErrorCode::Cancelled, "");
}

}  // namespace
}  // namespace cfs::store
