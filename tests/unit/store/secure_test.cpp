// SPDX-License-Identifier: Apache-2.0
// The rules of a secure repository, against a stand-in for the kernel's fs-verity.
#include "crypto/fsverity.hpp"
#include "fake_verity.hpp"
#include "store/fsck.hpp"
#include "store_fixture.hpp"

#include <gtest/gtest.h>

namespace cfs::store {
namespace {

using test::FakeVerity;
using test::NewStore;

const ImageObjects kNoImages = [](ByteView) { return std::vector<Digest>{}; };

class SecureStore : public testing::Test {
 protected:
    FakeVerity verity_;
    NewStore store_{HashAlgorithm::Sha512, VerityPolicy::Require};

    /// An object as somebody left it who does not know fs-verity.
    Digest put_without_verity(const std::string& content) {
        const Digest digest = verity_digest(HashAlgorithm::Sha512, as_bytes(content));
        store_.dir().write("objects/" + object_path(digest), content);
        return digest;
    }
};

TEST_F(SecureStore, VerityOnMetaMakesItSecure) {
    EXPECT_TRUE(store_->secure());
}

TEST_F(SecureStore, EveryObjectGetsVerity) {
    const Digest put = store_.put("one");
    const auto writer = store_->new_object();
    writer->write(as_bytes("two"));
    const Digest written = writer->commit();
    EXPECT_EQ(measure_verity(store_->open_object(put).get()), put);
    EXPECT_EQ(measure_verity(store_->open_object(written).get()), written);
}

TEST_F(SecureStore, PolicyOffStillSealsObjectsOfASecureOne) {
    const auto store = Repository::open(store_.dir().path(), VerityPolicy::Off);
    const Digest digest = store->put_object(as_bytes("content"));
    EXPECT_EQ(measure_verity(store->open_object(digest).get()), digest);
}

TEST_F(SecureStore, ObjectWithoutVerityIsNotPresent) {
    const Digest digest = put_without_verity("content");
    EXPECT_FALSE(store_->has_object(digest));
    EXPECT_ERROR(store_->open_object(digest), ErrorCode::StateCorrupt, "has no fs-verity");
}

TEST_F(SecureStore, ObjectWithoutVerityIsReplaced) {
    const Digest digest = put_without_verity("content");
    EXPECT_EQ(store_.put("content"), digest);
    EXPECT_TRUE(store_->has_object(digest));
}

TEST_F(SecureStore, ObjectWithoutVerityIsAFinding) {
    const Digest digest = put_without_verity("content");
    const FsckReport report = fsck(*store_, kNoImages, true);
    ASSERT_EQ(report.findings.size(), 1U);
    EXPECT_EQ(report.findings.front().path, "objects/" + object_path(digest));
}

TEST_F(SecureStore, KernelThatMeasuresOtherBytesIsAnIoErrorAndNothingIsLinked) {
    verity_.lie();
    const std::string before = test::tree_listing(store_.dir().path());
    EXPECT_ERROR(store_.put("content"), ErrorCode::Io, "reads back as");
    EXPECT_EQ(test::tree_listing(store_.dir().path()), before);
}

TEST_F(SecureStore, FileSystemThatLostVerityRefusesNewObjects) {
    verity_.stop_enabling();
    EXPECT_ERROR(store_.put("content"), ErrorCode::Unsupported, "demands fs-verity");
}

TEST(InsecureStore, TryUsesVerityWhereItIs) {
    const NewStore store;
    const FakeVerity verity;
    ASSERT_FALSE(store->secure());
    const Digest digest = store.put("content");
    EXPECT_EQ(measure_verity(store->open_object(digest).get()), digest);
}

TEST(InsecureStore, OffEnablesNothing) {
    const FakeVerity verity;
    const NewStore store(HashAlgorithm::Sha256, VerityPolicy::Off);
    EXPECT_FALSE(store->secure());
    const Digest digest = store.put("content");
    EXPECT_EQ(measure_verity(store->open_object(digest).get()), std::nullopt);
}

}  // namespace
}  // namespace cfs::store
