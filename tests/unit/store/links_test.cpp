// SPDX-License-Identifier: Apache-2.0
#include "base/fs_at.hpp"
#include "store_fixture.hpp"

#include <gtest/gtest.h>

namespace cfs::store {
namespace {

using test::NewStore;

std::string target(const NewStore& store, const std::string& path) {
    return read_link_at(store.dir().fd(), path).value_or("(none)");
}

TEST(Links, StreamLinkIsRelativeToItsObject) {
    const NewStore store;
    const Digest digest = store.put("hello world");
    store->link_stream("name", digest);
    EXPECT_EQ(target(store, "streams/name"),
              "../objects/1e/2eaa4202d750a41174ee454970b92c1bc2f925b1e35076d8c7d5f56362ba64");
    EXPECT_EQ(store->find_stream("name"), digest);
}

TEST(Links, StreamLinkIsReplacedAndLeavesNoStepBehind) {
    const NewStore store;
    store->link_stream("name", store.put("one"));
    store->commit_stream("name", store.put("two"));
    EXPECT_EQ(store->find_stream("name"), store.put("two"));
    EXPECT_EQ(list_dir(store.dir().fd()).size(), 4U);
}

TEST(Links, UnknownStreamIsNothing) {
    const NewStore store;
    EXPECT_EQ(store->find_stream("name"), std::nullopt);
}

TEST(Links, StreamThatLeadsElsewhereIsCorrupt) {
    const NewStore store;
    ASSERT_EQ(::symlink("/etc/passwd", (store.dir() / "streams/name").c_str()), 0);
    EXPECT_ERROR(store->find_stream("name"), ErrorCode::StateCorrupt, "/etc/passwd");
}

TEST(Links, ImageIsThereWithLinkAndSoundObjectOnly) {
    const NewStore store;
    const Digest digest = store.put("an image");
    EXPECT_FALSE(store->has_image(digest));
    EXPECT_ERROR(store->open_image(digest), ErrorCode::NotFound, "has no image");
    store->commit_image(digest);
    EXPECT_TRUE(store->has_image(digest));
    store.damage(digest);
    EXPECT_FALSE(store->has_image(digest));
}

TEST(Links, RefsClimbOneLevelPerDirectory) {
    const NewStore store;
    const Digest image = store.put("an image");
    store->link_image(image);
    store->set_image_ref("flat", image);
    store->set_image_ref("cfsupdated/a/b", image);
    EXPECT_EQ(target(store, "images/refs/flat"), "../" + image.hex());
    EXPECT_EQ(target(store, "images/refs/cfsupdated/a/b"), "../../../" + image.hex());
    const std::vector<Ref> expected = {{"cfsupdated/a/b", image.hex()}, {"flat", image.hex()}};
    EXPECT_EQ(store->list_image_refs(), expected);
}

TEST(Links, RefToNothingIsRefused) {
    const NewStore store;
    EXPECT_ERROR(store->set_stream_ref("oci/x", "missing"), ErrorCode::NotFound, "missing");
}

TEST(Links, RefMovesAndGoes) {
    const NewStore store;
    store->link_stream("one", store.put("1"));
    store->link_stream("two", store.put("2"));
    store->set_stream_ref("oci/tag", "one");
    store->set_stream_ref("oci/tag", "two");
    const std::vector<Ref> expected = {{"oci/tag", "two"}};
    EXPECT_EQ(store->list_stream_refs(), expected);
    EXPECT_TRUE(store->remove_stream_ref("oci/tag"));
    EXPECT_FALSE(store->remove_stream_ref("oci/tag"));
    EXPECT_TRUE(store->list_stream_refs().empty());
}

TEST(Links, NamesThatClimbOutAreRefused) {
    const NewStore store;
    const Digest digest = store.put("x");
    store->link_stream("ok", digest);
    for (const std::string name : {"", ".", "..", "a/b", "refs", "../x"}) {
        EXPECT_ERROR(store->link_stream(name, digest), ErrorCode::InvalidArgs, "cannot be");
    }
    for (const std::string ref : {"", "/x", "x/", "../x", "x/../../y", "x//y", "."}) {
        EXPECT_ERROR(store->set_stream_ref(ref, "ok"), ErrorCode::InvalidArgs, "cannot be");
    }
}

TEST(Links, ListsComeSortedAndWithoutRefs) {
    const NewStore store;
    const Digest digest = store.put("x");
    store->link_stream("b", digest);
    store->link_stream("a", digest);
    store->set_stream_ref("oci/tag", "a");
    const std::vector<Entry> expected = {{"a", digest}, {"b", digest}};
    EXPECT_EQ(store->list_streams(), expected);
}

TEST(EncodeRef, MakesOneFileNameOfATag) {
    EXPECT_EQ(encode_ref("localhost/test:latest"), "localhost%2Ftest:latest");
    EXPECT_EQ(encode_ref("50%"), "50%25");
}

TEST(EncodeRef, DecodesItsOwn) {
    for (const std::string tag : {"a/b/c:d", "100%2F", "%", "plain"}) {
        EXPECT_EQ(decode_ref(encode_ref(tag)), tag);
    }
}

TEST(EncodeRef, RefusesDigestsAndEmptyNames) {
    EXPECT_ERROR(encode_ref("@sha256:00"), ErrorCode::InvalidArgs, "@sha256");
    EXPECT_ERROR(encode_ref(""), ErrorCode::InvalidArgs, "tag");
    EXPECT_ERROR(encode_ref(std::string(300, 'x')), ErrorCode::InvalidArgs, "xxx");
}

TEST(EncodeRef, RefusesToDecodeWhatItDoesNotWrite) {
    EXPECT_EQ(decode_ref("%2f"), std::nullopt);
    EXPECT_EQ(decode_ref("%4"), std::nullopt);
    EXPECT_EQ(decode_ref("a/b"), std::nullopt);
}

}  // namespace
}  // namespace cfs::store
