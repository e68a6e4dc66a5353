// SPDX-License-Identifier: Apache-2.0
#include "store/gc.hpp"

#include "base/fs_at.hpp"
#include "crypto/fsverity.hpp"
#include "store/splitstream.hpp"
#include "store_fixture.hpp"

#include <gtest/gtest.h>

namespace cfs::store {
namespace {

using test::NewStore;
using namespace std::chrono_literals;

/// In these tests an "image" is a list of hex digests, one per line.
std::vector<Digest> listed_objects(ByteView image) {
    std::vector<Digest> out;
    const std::string_view text = as_text(image);
    for (std::size_t at = 0; at + 64 <= text.size(); at += 65) {
        const auto digest = Digest::from_hex(text.substr(at, 64));
        if (!digest) throw Error(ErrorCode::BadFormat, "no image");
        out.push_back(*digest);
    }
    return out;
}

class Collector : public testing::Test {
 protected:
    GcReport collect(const std::vector<std::string>& roots = {}, bool dry_run = false) {
        const ExclusiveLock lock = store_->try_lock_exclusive(0ms);
        return collect_garbage(*store_, lock, roots, listed_objects, dry_run);
    }

    Digest make_image(const std::vector<Digest>& objects) {
        std::string text;
        for (const auto& object : objects)
            text += object.hex() + "\n";
        const Digest image = store_.put(text);
        store_->link_image(image);
        return image;
    }

    Digest make_stream(const std::string& name, const Digest& external) {
        SplitstreamWriter writer(*store_);
        writer.external(external, *store_->object_size(external));
        const Digest stream = writer.finish(kOciLayer);
        store_->link_stream(name, stream);
        return stream;
    }

    NewStore store_;
};

TEST_F(Collector, RemovesWhatNoRefReachesAndCountsItsBytes) {
    const Digest kept = store_.put("kept");
    store_->set_image_ref("pin", make_image({kept}));
    (void)store_.put("garbage");
    const GcReport report = collect();
    EXPECT_EQ(report.objects_removed, 1U);
    EXPECT_EQ(report.bytes_removed, 7U);
    EXPECT_EQ(report.objects_kept, 2U);
    EXPECT_TRUE(store_->has_object(kept));
}

TEST_F(Collector, UnpinnedImageGoesWithItsLink) {
    const Digest image = make_image({store_.put("file")});
    const GcReport report = collect();
    EXPECT_EQ(report.images_pruned, 1U);
    EXPECT_EQ(report.objects_removed, 2U);
    EXPECT_FALSE(store_->has_image(image));
}

TEST_F(Collector, StreamsKeepWhatTheyReferToByName) {
    const Digest image = make_image({store_.put("file in the image")});
    const Digest layer = make_stream("layer", store_.put("file in the layer"));
    SplitstreamWriter writer(*store_);
    writer.literal(as_bytes("{}"));
    writer.named_ref("sha256:layer", layer);
    writer.named_ref("composefs.image.v1", image);
    store_->link_stream("config", writer.finish(kOciConfig));
    store_->set_stream_ref("oci/tag", "config");
    const GcReport report = collect();
    EXPECT_EQ(report.objects_removed, 0U);
    EXPECT_EQ(report.streams_pruned + report.images_pruned, 0U);
}

TEST_F(Collector, StreamsThatReferToEachOtherEnd) {
    const Digest external = store_.put("external");
    const Digest first = make_stream("first", external);
    SplitstreamWriter writer(*store_);
    writer.named_ref("first", first);
    writer.named_ref("again", first);
    store_->link_stream("second", writer.finish(kOciConfig));
    store_->set_stream_ref("a", "second");
    store_->set_stream_ref("b", "first");
    EXPECT_EQ(collect().objects_removed, 0U);
}

TEST_F(Collector, ExtraRootsKeepLikeRefs) {
    const Digest image = make_image({store_.put("file")});
    (void)make_stream("layer", store_.put("external"));
    EXPECT_EQ(collect({image.hex(), "layer"}).objects_removed, 0U);
}

TEST_F(Collector, ExtraRootThatNamesNothingIsAWarning) {
    const GcReport report = collect({"nothing"});
    ASSERT_EQ(report.warnings.size(), 1U);
    EXPECT_NE(report.warnings.front().find("nothing"), std::string::npos);
}

TEST_F(Collector, LeftoversOfCrashedWritersGo) {
    store_.dir().write("objects/.tmp-object-abcdefABCDEF", "half");
    ASSERT_EQ(::symlink("x", (store_.dir() / ".symlink-abcdefABCDEF").c_str()), 0);
    store_.dir().write("private/state", "ours");
    EXPECT_EQ(collect().leftovers_removed, 2U);
    const std::vector<std::string> expected = {
        "images", "meta.json", "objects", "private", "streams"};
    EXPECT_EQ(list_dir(store_.dir().fd()), expected);
}

TEST_F(Collector, OddNamesAreWarningsAndStay) {
    (void)store_.put("garbage");
    store_.dir().write("objects/ab/no-object", "?");
    store_.dir().write("objects/cd", "?");
    store_.dir().write("images/plain-file", "?");
    store_.dir().write("streams/refs/plain-file", "?");
    ASSERT_EQ(::symlink("/elsewhere", (store_.dir() / "streams/odd").c_str()), 0);
    const GcReport report = collect();
    EXPECT_EQ(report.objects_removed, 1U);
    EXPECT_EQ(report.warnings.size(), 5U);
    EXPECT_EQ(report.held_back, "");
    for (const char* path : {"objects/ab/no-object", "images/plain-file", "streams/odd"}) {
        EXPECT_TRUE(stat_at(store_.dir().fd(), path)) << path;
    }
}

TEST_F(Collector, RefToNothingIsAWarningAndGoes) {
    (void)store_.put("garbage");
    make_dirs_at(store_.dir().fd(), "streams/refs/oci", 0755);
    ASSERT_EQ(::symlink("../../gone", (store_.dir() / "streams/refs/oci/tag").c_str()), 0);
    const GcReport report = collect();
    EXPECT_EQ(report.objects_removed, 1U);
    EXPECT_EQ(report.streams_pruned, 1U);
    EXPECT_EQ(report.warnings.size(), 1U);
    EXPECT_TRUE(store_->list_stream_refs().empty());
}

TEST_F(Collector, UnreadableImageWithARootHoldsTheSweepBack) {
    const Digest file = store_.put("file");
    const Digest image = make_image({file});
    store_->set_image_ref("pin", image);
    store_.damage(image);
    const GcReport report = collect();
    EXPECT_EQ(report.objects_removed, 0U);
    EXPECT_NE(report.held_back.find(image.hex()), std::string::npos);
    EXPECT_TRUE(store_->has_object(file));
}

TEST_F(Collector, UnreadableStreamWithARootHoldsTheSweepBack) {
    const Digest external = store_.put("external");
    const Digest stream = make_stream("layer", external);
    store_->set_stream_ref("pin", "layer");
    store_.damage(stream);
    EXPECT_NE(collect().held_back, "");
    EXPECT_TRUE(store_->has_object(external));
}

TEST_F(Collector, RootWhoseObjectIsMissingHoldsTheSweepBack) {
    const Digest file = store_.put("file");
    const Digest image = make_image({file});
    store_->set_image_ref("pin", image);
    ASSERT_EQ(::unlink((store_.dir() / ("objects/" + object_path(image))).c_str()), 0);
    EXPECT_NE(collect().held_back, "");
    EXPECT_TRUE(store_->has_object(file));
    ASSERT_TRUE(store_->remove_image_ref("pin"));
    const GcReport after = collect();
    EXPECT_EQ(after.held_back, "");
    EXPECT_EQ(after.objects_removed, 1U);
    EXPECT_EQ(after.images_pruned, 1U);
}

TEST_F(Collector, RefsCountHoweverDeepTheyLie) {
    const Digest image = make_image({store_.put("file")});
    std::string dir = "images/refs";
    std::string up = "../";
    for (int i = 0; i < 40; ++i) {
        dir += "/d";
        up += "../";
    }
    make_dirs_at(store_.dir().fd(), dir, 0755);
    ASSERT_EQ(::symlink((up + image.hex()).c_str(), (store_.dir() / (dir + "/pin")).c_str()), 0);
    EXPECT_EQ(collect().objects_removed, 0U);
    EXPECT_TRUE(store_->has_image(image));
}

TEST_F(Collector, UnreadableImageWithoutARootIsJustGarbage) {
    const Digest image = make_image({});
    store_.damage(image);
    const GcReport report = collect();
    EXPECT_EQ(report.held_back, "");
    EXPECT_EQ(report.images_pruned, 1U);
}

TEST_F(Collector, DryRunSaysWhatARealOneDoes) {
    (void)make_image({store_.put("file")});
    store_.dir().write("objects/.tmp-object-abcdefABCDEF", "half");
    const std::string before = test::tree_listing(store_.dir().path());
    const GcReport dry = collect({}, true);
    EXPECT_EQ(test::tree_listing(store_.dir().path()), before);
    EXPECT_EQ(dry.would_remove.size(), 4U);
    const GcReport real = collect();
    EXPECT_EQ(dry.objects_removed, real.objects_removed);
    EXPECT_EQ(dry.images_pruned, real.images_pruned);
    EXPECT_EQ(dry.leftovers_removed, real.leftovers_removed);
    EXPECT_TRUE(real.would_remove.empty());
}

TEST_F(Collector, AStopLeavesASoundStore) {
    (void)make_image({store_.put("file")});
    std::stop_source stop;
    stop.request_stop();
    const ExclusiveLock lock = store_->try_lock_exclusive(0ms);
    EXPECT_ERROR(collect_garbage(*store_, lock, {}, listed_objects, false, stop.get_token()),
                 ErrorCode::Cancelled,
                 "");
}

}  // namespace
}  // namespace cfs::store
