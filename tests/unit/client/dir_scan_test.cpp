// SPDX-License-Identifier: Apache-2.0
#include "client/image/dir_scan.hpp"

#include "image/dump.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

namespace cfs::client {
namespace {

namespace fs = std::filesystem;

// What `fsverity digest --compact` prints for 10,000 letters "a".
constexpr const char* kSha256 = "94176b4d6a6edcc136ca792563b49fda1a39855842ed419194136dda51c5d6de";
constexpr const char* kSha512 =
    "c3290c7b45c00bb9166df1758dc9e472de7201ae9a5340af0777b02c891d3727c42ee5c464f80db10497ec5ead5f11"
    "e3617caccd098bd12452fd370a52a49304";

ScannedTree scan(const std::string& path,
                 const ScanOptions& options = {},
                 bool find_links = true,
                 HashAlgorithm algorithm = HashAlgorithm::Sha256) {
    return scan_directory(path, options, algorithm, find_links, {});
}

std::string dump_of(const image::FileTree& tree) {
    MemorySink sink(1 << 24);
    image::write_dump(tree, sink);
    return std::string(as_text(sink.bytes()));
}

const image::Inode& leaf(const ScannedTree& scanned, const char* path) {
    return *scanned.tree.lookup(path)->leaf();
}

TEST(DirScan, TakesSmallFilesIntoTheTree) {
    const test::TempDir dir;
    dir.write("empty", "");
    dir.write("small", std::string(64, 's'), 0640);
    dir.write("big", std::string(65, 'b'));
    const ScannedTree scanned = scan(dir.path());
    EXPECT_TRUE(leaf(scanned, "empty").is_inline());
    EXPECT_EQ(leaf(scanned, "small").content, std::string(64, 's'));
    EXPECT_EQ(leaf(scanned, "small").meta.mode, 0640U);
    EXPECT_EQ(leaf(scanned, "small").meta.uid, ::getuid());
    EXPECT_TRUE(leaf(scanned, "big").content.empty());
    EXPECT_EQ(leaf(scanned, "big").size, 65U);
    EXPECT_TRUE(leaf(scanned, "big").external.has_value());
}

TEST(DirScan, HashesAsTheKernelDoes) {
    const test::TempDir dir;
    dir.write("big", std::string(10000, 'a'));
    EXPECT_EQ(leaf(scan(dir.path()), "big").external->hex(), kSha256);
    EXPECT_EQ(leaf(scan(dir.path(), {}, true, HashAlgorithm::Sha512), "big").external->hex(),
              kSha512);
}

TEST(DirScan, TakesEveryTypeAndItsMetadata) {
    const test::TempDir dir;
    fs::create_directories(dir / "d/sub");
    ASSERT_EQ(::chmod((dir / "d").c_str(), 02751), 0);
    fs::create_symlink("../somewhere else", dir / "d/link");
    ASSERT_EQ(::mkfifo((dir / "d/pipe").c_str(), 0604), 0);
    const timespec times[2] = {{1, 0}, {1234567890, 987654321}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (dir / "d/link").c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
    const ScannedTree scanned = scan(dir.path());
    EXPECT_EQ(scanned.tree.lookup("d")->meta().mode, 02751U);
    EXPECT_TRUE(scanned.tree.lookup("d/sub")->is_directory());
    EXPECT_EQ(leaf(scanned, "d/link").content, "../somewhere else");
    EXPECT_EQ(leaf(scanned, "d/link").meta.mtime_sec, 1234567890);
    EXPECT_EQ(leaf(scanned, "d/link").meta.mtime_nsec, 987654321U);
    EXPECT_EQ(leaf(scanned, "d/pipe").type, image::FileType::Fifo);
    ScanOptions epoch;
    epoch.use_epoch = true;
    EXPECT_EQ(leaf(scan(dir.path(), epoch), "d/link").meta.mtime_nsec, 0U);
}

TEST(DirScan, JoinsTheNamesOfAFile) {
    const test::TempDir dir;
    dir.write("z/first", "x");
    dir.write("a", "other");
    fs::create_directories(dir / "b");
    fs::create_hard_link(dir / "z/first", dir / "b/second");
    const ScannedTree scanned = scan(dir.path());
    EXPECT_EQ(scanned.tree.lookup("z/first")->leaf(), scanned.tree.lookup("b/second")->leaf());
    // The first name in the order of the tree is the file's own, the others are links to it.
    EXPECT_FALSE(scanned.tree.lookup("b/second")->is_link());
    EXPECT_TRUE(scanned.tree.lookup("z/first")->is_link());
    EXPECT_EQ(leaf(scanned, "a").content, "other");
    EXPECT_EQ(scanned.tree.lookup("a")->leaf().use_count(), 1);
    const ScannedTree split = scan(dir.path(), {}, false);
    EXPECT_NE(split.tree.lookup("z/first")->leaf(), split.tree.lookup("b/second")->leaf());
    EXPECT_EQ(leaf(split, "b/second").content, "x");
}

TEST(DirScan, FiltersAttributes) {
    const test::TempDir dir;
    dir.write("f", "x");
    if (::setxattr((dir / "f").c_str(), "user.one", "1", 1, 0) != 0)
        GTEST_SKIP() << "this file system has no attributes";
    EXPECT_EQ(leaf(scan(dir.path()), "f").meta.xattrs.find("user.one")->second, "1");
    ScanOptions none;
    none.skip_xattrs = true;
    EXPECT_TRUE(leaf(scan(dir.path(), none), "f").meta.xattrs.empty());
    ScanOptions user;
    user.user_xattrs = true;
    EXPECT_EQ(leaf(scan(dir.path(), user), "f").meta.xattrs.size(), 1U);
}

TEST(DirScan, DoesNotDependOnTheThreads) {
    const test::TempDir dir;
    for (int i = 0; i < 3000; ++i) {
        const std::string name = std::to_string(i % 37) + "/" + std::to_string(i);
        dir.write(name, std::string(static_cast<std::size_t>(i) * 7 % 20000, 'x') + name);
    }
    ScanOptions options;
    options.threads = 1;
    const std::string one = dump_of(scan(dir.path(), options).tree);
    for (const unsigned threads : {2U, 5U}) {
        options.threads = threads;
        EXPECT_EQ(dump_of(scan(dir.path(), options).tree), one);
    }
}

TEST(DirScan, FillsADigestStoreOnce) {
    const test::TempDir dir;
    const test::TempDir store;
    dir.write("big", std::string(10000, 'a'));
    dir.write("same", std::string(10000, 'a'));
    dir.write("small", "s");
    ScanOptions options;
    options.digest_store = store / "objects";
    static_cast<void>(scan(dir.path(), options));
    const std::string hex = kSha256;
    const std::string object = "objects/" + hex.substr(0, 2) + "/" + hex.substr(2);
    EXPECT_EQ(store.read(object), std::string(10000, 'a'));
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(store.path()))
        files += entry.is_regular_file() ? 1 : 0;
    EXPECT_EQ(files, 1U);
    const auto before = fs::last_write_time(store / object);
    static_cast<void>(scan(dir.path(), options));
    EXPECT_EQ(fs::last_write_time(store / object), before);
}

TEST(DirScan, KeepsThePolicyForTheLabels) {
    const test::TempDir dir;
    dir.write("etc/selinux/targeted/contexts/files/file_contexts", std::string(5000, 'p'));
    dir.write("etc/other", std::string(5000, 'o'));
    const ScannedTree scanned = scan(dir.path());
    EXPECT_EQ(scanned.read(leaf(scanned, "etc/selinux/targeted/contexts/files/file_contexts")),
              std::string(5000, 'p'));
    EXPECT_THROW(static_cast<void>(scanned.read(leaf(scanned, "etc/other"))), Error);
}

TEST(DirScan, NamesWhatItCannotRead) {
    test::expect_error(ErrorCode::NotFound, "/nonexistent", [] { scan("/nonexistent"); });
    const test::TempDir dir;
    dir.write("f", "x");
    EXPECT_THROW(scan(dir / "f"), Error);
    if (::geteuid() == 0) return;
    dir.write("secret", "x", 0000);
    test::expect_error(ErrorCode::AccessDenied, "/secret", [&] { scan(dir.path()); });
}

TEST(DirScan, AFailureEndsItWithEveryThread) {
    const test::TempDir dir;
    const test::TempDir other;
    for (int i = 0; i < 500; ++i)
        dir.write(std::to_string(i), std::string(100, 'x') + std::to_string(i));
    other.write("file", "x");
    ScanOptions options;
    options.digest_store = other / "file";
    for (const unsigned threads : {1U, 3U}) {
        options.threads = threads;
        EXPECT_THROW(scan(dir.path(), options), Error);
    }
}

}  // namespace
}  // namespace cfs::client
