// SPDX-License-Identifier: Apache-2.0
#include "update/checkout.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/xattr.h>

#include <filesystem>

namespace cfs::update {
namespace {

using test::TempDir;

std::shared_ptr<image::Inode> file(const std::string& content, std::uint32_t mode = 0644) {
    auto inode = std::make_shared<image::Inode>();
    inode->content = content;
    inode->size = content.size();
    inode->meta.mode = mode;
    inode->meta.mtime_sec = 1'000'000'000;
    inode->meta.mtime_nsec = 5;
    return inode;
}

class CheckoutTest : public testing::Test {
 protected:
    void SetUp() override {
        make_dirs_at(dir_.fd(), "store", 0700);
        store::Repository::init(
            open_dir_at(dir_.fd(), "store").get(), HashAlgorithm::Sha256, store::VerityPolicy::Try);
        store_ = store::Repository::open(dir_ / "store", store::VerityPolicy::Try);
        auto etc = std::make_unique<image::Directory>();
        etc->meta.mode = 0751;
        etc_ = tree_.root().put("etc", image::Node(std::move(etc))).directory();
    }

    void check_out_etc() {
        make_dirs_at(dir_.fd(), "out", 0700);
        check_out(*store_, tree_, "etc", open_dir_at(dir_.fd(), "out").get(), {});
    }

    [[nodiscard]] struct stat stat_of(const std::string& name) const {
        struct stat st {};
        EXPECT_EQ(::lstat((dir_ / name).c_str(), &st), 0);
        return st;
    }

    TempDir dir_;
    std::unique_ptr<store::Repository> store_;
    image::FileTree tree_;
    image::Directory* etc_ = nullptr;
};

TEST_F(CheckoutTest, WritesContentOwnerModeTimeAndAttributes) {
    auto inode = file("hello", 04755);
    inode->meta.uid = 12;
    inode->meta.gid = 34;
    inode->meta.xattrs["user.note"] = "kept";
    inode->meta.xattrs["trusted.overlay.opaque"] = "y";
    etc_->put("f", image::Node(inode));
    check_out_etc();
    const auto st = stat_of("out/f");
    EXPECT_EQ(dir_.read("out/f"), "hello");
    EXPECT_EQ(st.st_mode & 07777, 04755U);
    EXPECT_EQ(st.st_uid, 12U);
    EXPECT_EQ(st.st_gid, 34U);
    EXPECT_EQ(st.st_mtim.tv_sec, 1'000'000'000);
    EXPECT_EQ(st.st_mtim.tv_nsec, 5);
    char value[8];
    EXPECT_EQ(::lgetxattr((dir_ / "out/f").c_str(), "user.note", value, sizeof value), 4);
    EXPECT_LT(::lgetxattr((dir_ / "out/f").c_str(), "trusted.overlay.opaque", value, sizeof value),
              0);
    EXPECT_EQ(stat_of("out").st_mode & 07777, 0751U);
}

TEST_F(CheckoutTest, TakesLargeFilesFromTheStore) {
    const std::string content(100'000, 'x');
    auto inode = file("");
    inode->external = store_->put_object(as_bytes(content));
    inode->size = content.size();
    etc_->put("big", image::Node(inode));
    check_out_etc();
    EXPECT_EQ(dir_.read("out/big"), content);
}

TEST_F(CheckoutTest, KeepsHardLinksAndSymbolicLinks) {
    auto shared = file("one");
    auto sub = std::make_unique<image::Directory>();
    sub->meta.mode = 0500;
    sub->put("b", image::Node(shared));
    etc_->put("sub", image::Node(std::move(sub)));
    etc_->put("a", image::Node(shared));
    auto link = file("../../nowhere");
    link->type = image::FileType::Symlink;
    etc_->put("link", image::Node(link));
    check_out_etc();
    EXPECT_EQ(stat_of("out/a").st_ino, stat_of("out/sub/b").st_ino);
    EXPECT_EQ(std::filesystem::read_symlink(dir_ / "out/link"), "../../nowhere");
    EXPECT_EQ(stat_of("out/sub").st_mode & 07777, 0500U);
}

TEST_F(CheckoutTest, AMissingObjectIsAnErrorThatNamesTheFile) {
    auto inode = file("");
    inode->external = *Digest::from_hex(std::string(64, 'a'));
    inode->size = 100;
    etc_->put("gone", image::Node(inode));
    try {
        check_out_etc();
        FAIL();
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("'gone'"), std::string::npos) << e.what();
    }
}

TEST_F(CheckoutTest, AnImageWithoutTheDirectoryGivesAnEmptyOne) {
    make_dirs_at(dir_.fd(), "out", 0700);
    check_out(*store_, tree_, "nothing", open_dir_at(dir_.fd(), "out").get(), {});
    EXPECT_TRUE(std::filesystem::is_empty(dir_ / "out"));
}

}  // namespace
}  // namespace cfs::update
