// SPDX-License-Identifier: Apache-2.0
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "store/temp_file.hpp"
#include "store_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <thread>

namespace cfs::store {
namespace {

using test::NewStore;
using test::TempDir;

// Golden: fs-verity of "hello world".
constexpr const char* kHello256 =
    "1e2eaa4202d750a41174ee454970b92c1bc2f925b1e35076d8c7d5f56362ba64";
constexpr const char* kHello512 =
    "18430270729d162d4e469daca123ae61893db4b0583d8f7081e3bf4f92b88ba514e7982f10733fb6aa895195c5ae8f"
    "d2eb2c47a8be05513ce5a0c51a6f570409";

std::string content_of(const Repository& store, const Digest& digest) {
    const UniqueFd fd = store.open_object(digest);
    return std::string(as_text(read_whole(fd.get(), std::size_t{1} << 24)));
}

std::size_t names_in_objects(const NewStore& store) {
    const UniqueFd dir = open_dir_at(store.dir().fd(), "objects");
    return list_dir(dir.get()).size();
}

TEST(ObjectStore, ObjectsAreNamedByTheirVerityDigest) {
    const NewStore store;
    EXPECT_EQ(store.put("hello world").hex(), kHello256);
    EXPECT_EQ(store.dir().read(
                  "objects/1e/2eaa4202d750a41174ee454970b92c1bc2f925b1e35076d8c7d5f56362ba64"),
              "hello world");
}

TEST(ObjectStore, Sha512NamesHaveA126DigitRest) {
    const NewStore store(HashAlgorithm::Sha512);
    EXPECT_EQ(store.put("hello world").hex(), kHello512);
    EXPECT_EQ(store.dir().read("objects/18/" + std::string(kHello512 + 2)), "hello world");
}

TEST(ObjectStore, WriterAndPutAgree) {
    const NewStore store;
    const auto writer = store->new_object();
    writer->write(as_bytes("hello "));
    writer->write(as_bytes("world"));
    EXPECT_EQ(writer->size(), 11U);
    EXPECT_EQ(writer->commit().hex(), kHello256);
    EXPECT_TRUE(store->has_object(*Digest::from_hex(kHello256)));
}

TEST(ObjectStore, PutTwiceIsOneObject) {
    const NewStore store;
    const Digest first = store.put("same");
    const std::string before = test::tree_listing(store.dir().path());
    EXPECT_EQ(store.put("same"), first);
    const auto writer = store->new_object();
    writer->write(as_bytes("same"));
    EXPECT_EQ(writer->commit(), first);
    EXPECT_EQ(test::tree_listing(store.dir().path()), before);
}

TEST(ObjectStore, TheEmptyObjectIsAnObject) {
    const NewStore store;
    const Digest digest = store.put("");
    EXPECT_TRUE(store->has_object(digest));
    EXPECT_EQ(store->object_size(digest), 0U);
}

TEST(ObjectStore, ModesDoNotFollowTheUmask) {
    const NewStore store;
    const mode_t old = ::umask(0077);
    const Digest digest = store.put("content");
    ::umask(old);
    struct stat st {};
    const std::string path = store.dir() / ("objects/" + object_path(digest));
    ASSERT_EQ(::stat(path.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777U, 0644U);
    ASSERT_EQ(::stat(path.substr(0, path.rfind('/')).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777U, 0755U);
}

TEST(ObjectStore, DroppedWriterLeavesNothing) {
    const NewStore store;
    const std::string before = test::tree_listing(store.dir().path());
    store->new_object()->write(as_bytes("never committed"));
    EXPECT_EQ(test::tree_listing(store.dir().path()), before);
}

TEST(ObjectStore, MissingObjectIsNotFound) {
    const NewStore store;
    const Digest digest = *Digest::from_hex(kHello256);
    EXPECT_FALSE(store->has_object(digest));
    EXPECT_EQ(store->object_size(digest), std::nullopt);
    EXPECT_ERROR(store->open_object(digest), ErrorCode::NotFound, kHello256);
}

TEST(ObjectStore, OtherHashIsRefusedByName) {
    const NewStore store;
    EXPECT_ERROR(store->has_object(*Digest::from_hex(kHello512)),
                 ErrorCode::Unsupported,
                 "by sha256, not by sha512");
}

TEST(ObjectStore, FreshlyWrittenObjectThatChangesIsNoticed) {
    const NewStore store;
    const Digest digest = store.put("content");
    ASSERT_TRUE(store->has_object(digest));
    store.damage(digest);
    EXPECT_FALSE(store->has_object(digest));
    EXPECT_ERROR(store->open_object(digest), ErrorCode::StateCorrupt, "hashes to");
}

TEST(ObjectStore, DamagedObjectIsReplacedByPuttingItAgain) {
    const NewStore store;
    const Digest digest = store.put("content");
    store.damage(digest);
    EXPECT_EQ(store.put("content"), digest);
    EXPECT_TRUE(store->has_object(digest));
    EXPECT_EQ(content_of(*store, digest), "content");
    EXPECT_EQ(names_in_objects(store), 1U) << "no temporary name may stay";
}

TEST(ObjectStore, DamagedObjectIsReplacedByAWriter) {
    const NewStore store;
    const Digest digest = store.put("content");
    store.damage(digest);
    const auto writer = store->new_object();
    writer->write(as_bytes("content"));
    EXPECT_EQ(writer->commit(), digest);
    EXPECT_EQ(content_of(*store, digest), "content");
}

TEST(ObjectStore, ObjectThatACrashLeftEmptyIsNotPresent) {
    const NewStore store;
    const Digest digest = store.put("content");
    store.dir().write("objects/" + object_path(digest), "");
    EXPECT_FALSE(store->has_object(digest));
    (void)store.put("content");
    EXPECT_TRUE(store->has_object(digest));
}

TEST(ObjectStore, LinkInPlaceOfAnObjectIsNotFollowed) {
    const NewStore store;
    const Digest digest = store.put("content");
    const std::string path = store.dir() / ("objects/" + object_path(digest));
    ASSERT_EQ(::rename(path.c_str(), (store.dir() / "elsewhere").c_str()), 0);
    ASSERT_EQ(::symlink((store.dir() / "elsewhere").c_str(), path.c_str()), 0);
    EXPECT_TRUE(test::error_of([&] { (void)store->has_object(digest); }).has_value());
}

TEST(ObjectStore, ManyThreadsMayPutTheSameAndDifferentObjects) {
    const NewStore store;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&store] {
                for (int i = 0; i < 50; ++i) {
                    const auto writer = store->new_object();
                    writer->write(as_bytes("object " + std::to_string(i)));
                    (void)writer->commit();
                }
            });
        }
    }
    for (int i = 0; i < 50; ++i) {
        const std::string content = "object " + std::to_string(i);
        EXPECT_EQ(content_of(*store, store.put(content)), content);
    }
}

TEST(TempFile, NamedOneIsPublishedOnceAndItsNameIsGone) {
    const TempDir dir;
    {
        TempFile file(dir.fd(), TempFile::Naming::Named);
        EXPECT_EQ(list_dir(dir.fd()).size(), 1U);
        write_all(file.fd(), as_bytes("x"));
        file.reopen_read_only();
        EXPECT_EQ(file.publish("ab/cd"), TempFile::Published::NoDirectory);
        EXPECT_EQ(file.publish("final"), TempFile::Published::Done);
        EXPECT_EQ(file.publish("final"), TempFile::Published::Exists);
    }
    EXPECT_EQ(list_dir(dir.fd()), std::vector<std::string>{"final"});
}

TEST(TempFile, NamedOneThatIsDroppedLeavesNothing) {
    const TempDir dir;
    { const TempFile file(dir.fd(), TempFile::Naming::Named); }
    EXPECT_TRUE(list_dir(dir.fd()).empty());
}

TEST(TempFile, ReplacesAtomicallyAndLeavesNoStepBehind) {
    const TempDir dir;
    dir.write("final", "old");
    TempFile file(dir.fd());
    write_all(file.fd(), as_bytes("new"));
    file.publish_over("final");
    EXPECT_EQ(dir.read("final"), "new");
    EXPECT_EQ(list_dir(dir.fd()), std::vector<std::string>{"final"});
}

}  // namespace
}  // namespace cfs::store
