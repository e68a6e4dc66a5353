// SPDX-License-Identifier: Apache-2.0
#include "base/fs_at.hpp"
#include "store_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/mount.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

namespace cfs::store {
namespace {

using test::NewStore;
using test::TempDir;

std::string meta_with(const std::string& version,
                      const std::string& algorithm,
                      const std::string& features) {
    return R"({"version": )" + version + R"(, "algorithm": ")" + algorithm + R"(", "features": )" +
           features + "}";
}

std::unique_ptr<Repository> open_with_meta(const TempDir& dir, const std::string& meta) {
    dir.write("meta.json", meta);
    make_dirs_at(dir.fd(), "objects", 0755);
    return Repository::open(dir.path(), VerityPolicy::Try);
}

TEST(Repository, NewOneHasTheModesAndDirectoriesOfTheFormat) {
    const NewStore store;
    struct stat st {};
    ASSERT_EQ(::stat(store.dir().path().c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777U, 0700U);
    ASSERT_EQ(::stat((store.dir() / "meta.json").c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777U, 0644U);
    for (const char* name : {"objects", "images", "streams"}) {
        ASSERT_EQ(::stat((store.dir() / name).c_str(), &st), 0) << name;
        EXPECT_TRUE(S_ISDIR(st.st_mode)) << name;
    }
}

TEST(Repository, InitTwiceIsOnce) {
    const NewStore store;
    const std::string before = test::tree_listing(store.dir().path());
    Repository::init(store.dir().fd(), HashAlgorithm::Sha256, VerityPolicy::Try);
    EXPECT_EQ(test::tree_listing(store.dir().path()), before);
}

TEST(Repository, InitWithTheOtherHashIsRefused) {
    const NewStore store;
    EXPECT_ERROR(Repository::init(store.dir().fd(), HashAlgorithm::Sha512, VerityPolicy::Try),
                 ErrorCode::Unsupported,
                 "fsverity-sha256-12, not fsverity-sha512-12");
}

TEST(Repository, InitOverObjectsOfAnUnknownHashIsRefused) {
    const TempDir dir;
    dir.write("objects/ab/cd", "?");
    EXPECT_ERROR(Repository::init(dir.fd(), HashAlgorithm::Sha256, VerityPolicy::Try),
                 ErrorCode::StateCorrupt,
                 "no meta.json");
}

TEST(Repository, InitGoesOnWhereACrashEndedIt) {
    const TempDir dir;
    make_dirs_at(dir.fd(), "objects", 0755);
    Repository::init(dir.fd(), HashAlgorithm::Sha256, VerityPolicy::Try);
    EXPECT_TRUE(Repository::open(dir.path(), VerityPolicy::Try)->writable());
}

TEST(Repository, RequiringVerityWhereThereIsNoneLeavesNoMetaBehind) {
    const TempDir dir;
    EXPECT_ERROR(Repository::init(dir.fd(), HashAlgorithm::Sha512, VerityPolicy::Require),
                 ErrorCode::Unsupported,
                 "no fs-verity");
    EXPECT_NE(::access((dir / "meta.json").c_str(), F_OK), 0);
}

TEST(Repository, RequiringVerityRefusesAnInsecureOneByName) {
    const NewStore store;
    EXPECT_ERROR(Repository::open(store.dir().path(), VerityPolicy::Require),
                 ErrorCode::Unsupported,
                 store.dir().path());
}

TEST(Repository, WithoutMetaItIsNotFound) {
    const TempDir dir;
    EXPECT_ERROR(
        Repository::open(dir.path(), VerityPolicy::Try), ErrorCode::NotFound, "has no meta.json");
}

TEST(Repository, AMissingDirectoryIsNotFound) {
    const TempDir dir;
    EXPECT_ERROR(
        Repository::open(dir / "nothing", VerityPolicy::Try), ErrorCode::NotFound, "nothing");
}

TEST(Repository, ANewerVersionIsRefused) {
    const TempDir dir;
    EXPECT_ERROR(open_with_meta(dir, meta_with("2", "fsverity-sha256-12", "{}")),
                 ErrorCode::Unsupported,
                 "version 2");
}

TEST(Repository, AnotherBlockSizeIsRefused) {
    const TempDir dir;
    EXPECT_ERROR(open_with_meta(dir, meta_with("1", "fsverity-sha256-16", "{}")),
                 ErrorCode::Unsupported,
                 "fsverity-sha256-16");
}

TEST(Repository, AnUnknownIncompatibleFeatureIsRefused) {
    const TempDir dir;
    const std::string features = R"({"incompatible": ["from-the-future"]})";
    EXPECT_ERROR(open_with_meta(dir, meta_with("1", "fsverity-sha256-12", features)),
                 ErrorCode::Unsupported,
                 "from-the-future");
}

TEST(Repository, AnUnknownReadOnlyFeatureOpensAndRefusesWrites) {
    const TempDir dir;
    const std::string features = R"({"read-only-compatible": ["v1_erofs", "later"]})";
    const auto store = open_with_meta(dir, meta_with("1", "fsverity-sha256-12", features));
    EXPECT_FALSE(store->writable());
    EXPECT_ERROR(store->put_object(as_bytes("x")), ErrorCode::Unsupported, "'later'");
    EXPECT_ERROR(store->new_object(), ErrorCode::Unsupported, "'later'");
}

TEST(Repository, AnUnknownCompatibleFeatureIsIgnored) {
    const TempDir dir;
    const std::string features = R"({"compatible": ["nice"]})";
    const auto store = open_with_meta(dir, meta_with("1", "fsverity-sha256-12", features));
    EXPECT_TRUE(store->writable());
}

TEST(Repository, ReadOnlyFileSystemOpensAndRefusesWrites) {
    const NewStore made;
    const std::string path = made.dir().path();
    if (::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        GTEST_SKIP() << "cannot mount here";
    }
    const unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY;
    ASSERT_EQ(::mount(nullptr, path.c_str(), nullptr, flags, nullptr), 0);
    const auto store = Repository::open(path, VerityPolicy::Try);
    const auto error = test::error_of([&] { (void)store->put_object(as_bytes("x")); });
    ::umount2(path.c_str(), MNT_DETACH);
    EXPECT_FALSE(store->writable());
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Io);
    EXPECT_FALSE(error->hint().empty());
}

struct BadMeta {
    const char* name;
    const char* text;

    friend std::ostream& operator<<(std::ostream& out, const BadMeta& meta) {
        return out << meta.name;
    }
};

class MetaJson : public testing::TestWithParam<BadMeta> {};

TEST_P(MetaJson, IsCorrupt) {
    const TempDir dir;
    EXPECT_ERROR(open_with_meta(dir, GetParam().text), ErrorCode::StateCorrupt, "meta.json");
}

INSTANTIATE_TEST_SUITE_P(
    Damaged,
    MetaJson,
    testing::Values(BadMeta{"Empty", ""},
                    BadMeta{"Half", R"({"version": 1, "algo)"},
                    BadMeta{"List", "[1]"},
                    BadMeta{"NoVersion", R"({"algorithm": "fsverity-sha256-12"})"},
                    BadMeta{"VersionAsText", R"({"version": "1"})"},
                    BadMeta{"VersionZero", R"({"version": 0})"},
                    BadMeta{"NoAlgorithm", R"({"version": 1})"},
                    BadMeta{"FeaturesAsList",
                            R"({"version": 1, "algorithm": "fsverity-sha256-12", "features": []})"},
                    BadMeta{"FormatsAsNumber",
                            R"({"version": 1, "algorithm": "fsverity-sha256-12",
                                "erofs_formats": 1})"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

struct Format {
    const char* name;
    const char* rest;
    int expected;

    friend std::ostream& operator<<(std::ostream& out, const Format& format) {
        return out << format.name;
    }
};

class DefaultFormat : public testing::TestWithParam<Format> {};

TEST_P(DefaultFormat, FollowsTheRules) {
    const TempDir dir;
    const std::string head = R"({"version": 1, "algorithm": "fsverity-sha512-12")";
    const auto store = open_with_meta(dir, head + GetParam().rest + "}");
    EXPECT_EQ(store->default_erofs_format(), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Meta,
    DefaultFormat,
    testing::Values(
        Format{"MissingMeansTwo", "", 2},
        Format{"FeatureMeansOne", R"(, "features": {"read-only-compatible": ["v1_erofs"]})", 1},
        Format{"LegacyTwoYieldsToTheFeature",
               R"(, "features": {"read-only-compatible": ["v1_erofs"]},
                   "erofs_formats": {"default": 2})",
               1},
        Format{"SaidIsSaid", R"(, "erofs_formats": {"default": 0})", 0},
        Format{"TwoWithExtraIsMeant",
               R"(, "features": {"read-only-compatible": ["v1_erofs"]},
                   "erofs_formats": {"default": 2, "extra": [1]})",
               2}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace cfs::store
