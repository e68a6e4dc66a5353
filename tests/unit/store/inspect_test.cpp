// SPDX-License-Identifier: Apache-2.0
#include "store/inspect.hpp"

#include "base/fs_at.hpp"
#include "fake_verity.hpp"
#include "store_fixture.hpp"

#include <sys/stat.h>

#include <filesystem>

namespace cfs::store {
namespace {

using test::FakeVerity;
using test::NewStore;

const std::string kContent(5000, 'x');

std::string path_of(const NewStore& store, const Digest& digest) {
    return store.dir() / ("objects/" + object_path(digest));
}

ino_t inode_of(const NewStore& store, const Digest& digest) {
    struct stat st {};
    EXPECT_EQ(::stat(path_of(store, digest).c_str(), &st), 0);
    return st.st_ino;
}

Inspection look_at(const NewStore& store,
                   const Digest& digest,
                   Look look,
                   std::optional<std::uint64_t> size = std::nullopt) {
    return inspect_object(*store, digest, look, size, {});
}

TEST(Inspect, ReadingVouchesForASoundObject) {
    const NewStore store;
    const Digest object = store.put(kContent);
    std::uint64_t announced = 0;
    const auto found = inspect_object(
        *store, object, Look::Read, kContent.size(), [&](std::uint64_t n) { announced += n; });
    EXPECT_EQ(found.state, ObjectState::Sound);
    EXPECT_TRUE(found.vouched);
    EXPECT_EQ(announced, kContent.size());
}

TEST(Inspect, WithoutFsVerityMeasuringSeesOnlyExistenceAndSize) {
    const NewStore store;
    const Digest object = store.put(kContent);
    store.damage(object);
    const auto found = look_at(store, object, Look::Measure, kContent.size());
    EXPECT_EQ(found.state, ObjectState::Sound);
    EXPECT_FALSE(found.vouched);
    ASSERT_EQ(::truncate(path_of(store, object).c_str(), 4999), 0);
    const auto shorter = look_at(store, object, Look::Measure, kContent.size());
    EXPECT_EQ(shorter.state, ObjectState::Damaged);
    EXPECT_EQ(shorter.problem, "has 4999 bytes, expected 5000 bytes");
    ASSERT_EQ(::unlink(path_of(store, object).c_str()), 0);
    EXPECT_EQ(look_at(store, object, Look::Measure).state, ObjectState::Missing);
}

TEST(Inspect, WhatReadingFindsIsReplacedByTheNextPut) {
    const NewStore store;
    const Digest object = store.put(kContent);
    const Digest other = store.put(kContent + "other");
    const ino_t untouched = inode_of(store, other);
    store.damage(object);
    const auto found = look_at(store, object, Look::Read);
    EXPECT_EQ(found.state, ObjectState::Damaged);
    EXPECT_NE(found.problem.find("its content hashes to "), std::string::npos);
    EXPECT_EQ(store.put(kContent), object);
    EXPECT_EQ(store.put(kContent + "other"), other);
    EXPECT_EQ(store.dir().read("objects/" + object_path(object)), kContent);
    EXPECT_EQ(look_at(store, object, Look::Read).state, ObjectState::Sound);
    EXPECT_EQ(inode_of(store, other), untouched);
}

TEST(Inspect, OneThatIsDistrustedIsReplacedThoughItMeasuresRight) {
    const FakeVerity verity;
    const NewStore store(HashAlgorithm::Sha256, VerityPolicy::Require);
    const Digest object = store.put(kContent);
    const ino_t before = inode_of(store, object);
    store.damage(object);
    // As of a disk that lost a block: the kernel's sum is that of the file as it was.
    EXPECT_EQ(look_at(store, object, Look::Measure).state, ObjectState::Sound);
    EXPECT_TRUE(store->has_object(object));
    EXPECT_EQ(look_at(store, object, Look::Read).state, ObjectState::Damaged);
    EXPECT_FALSE(store->has_object(object));
    EXPECT_ERROR(store->open_object(object), ErrorCode::StateCorrupt, "is damaged");
    EXPECT_EQ(store.put(kContent), object);
    EXPECT_NE(inode_of(store, object), before);
    EXPECT_TRUE(store->has_object(object));
    const auto found = look_at(store, object, Look::Read);
    EXPECT_EQ(found.state, ObjectState::Sound);
    EXPECT_EQ(store.dir().read("objects/" + object_path(object)), kContent);
}

TEST(Inspect, ASecureStoreDemandsFsVerity) {
    const FakeVerity verity;
    const NewStore store(HashAlgorithm::Sha256, VerityPolicy::Require);
    const Digest object = store.put(kContent);
    const std::string path = "objects/" + object_path(object);
    std::filesystem::remove(store.dir() / path);
    store.dir().write(path, kContent);
    const auto found = look_at(store, object, Look::Measure);
    EXPECT_EQ(found.state, ObjectState::Damaged);
    EXPECT_EQ(found.problem, "has no fs-verity, which this store demands");
    EXPECT_EQ(store.put(kContent), object);
    EXPECT_TRUE(look_at(store, object, Look::Measure).vouched);
}

TEST(Inspect, ALinkInAnObjectsPlaceIsDamageAndIsReplaced) {
    const NewStore store;
    const Digest object = store.put(kContent);
    std::filesystem::remove(path_of(store, object));
    std::filesystem::create_symlink("/etc/passwd", path_of(store, object));
    EXPECT_EQ(look_at(store, object, Look::Measure).state, ObjectState::Damaged);
    EXPECT_EQ(store.put(kContent), object);
    EXPECT_FALSE(std::filesystem::is_symlink(path_of(store, object)));
    EXPECT_EQ(look_at(store, object, Look::Read).state, ObjectState::Sound);
}

TEST(Inspect, ADirectoryInAnObjectsPlaceIsDamageAndIsReplaced) {
    const NewStore store;
    const Digest object = store.put(kContent);
    std::filesystem::remove(path_of(store, object));
    std::filesystem::create_directories(path_of(store, object) + "/below");
    EXPECT_EQ(look_at(store, object, Look::Measure).problem, "is no regular file");
    EXPECT_EQ(store.put(kContent), object);
    EXPECT_EQ(look_at(store, object, Look::Read).state, ObjectState::Sound);
}

TEST(Inspect, OneWhoStopsItIsHeardAndNothingIsDistrusted) {
    const NewStore store;
    const Digest object = store.put(kContent);
    const OnRead stop = [](std::uint64_t) { throw Error(ErrorCode::Cancelled, "enough"); };
    EXPECT_ERROR(inspect_object(*store, object, Look::Read, std::nullopt, stop),
                 ErrorCode::Cancelled,
                 "eno");
    EXPECT_TRUE(store->has_object(object));
}

}  // namespace
}  // namespace cfs::store
