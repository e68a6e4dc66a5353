// SPDX-License-Identifier: Apache-2.0
// Real mounts, in a mount namespace of this process's own.
#include "mount/private_mount.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace cfs::mount {
namespace {

class PrivateMountTest : public testing::Test {
 protected:
    void SetUp() override {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            GTEST_SKIP() << "no mounts of one's own here";
        std::filesystem::create_directory(dir / "disk");
    }

    void TearDown() override {
        (void)::umount2((dir / "disk").c_str(), MNT_DETACH);
        if (loop.empty()) return;
        EXPECT_EQ(std::system(("losetup -d " + loop).c_str()), 0);
    }

    void mount_tmpfs() {
        ASSERT_EQ(::mount("tmpfs", (dir / "disk").c_str(), "tmpfs", 0, "size=1m"), 0);
        std::ofstream(dir / "disk/file") << "content";
        std::filesystem::create_symlink("file", dir / "disk/link");
        std::filesystem::create_directory(dir / "disk/below");
        ASSERT_EQ(::mount("tmpfs", (dir / "disk/below").c_str(), "tmpfs", 0, "size=1m"), 0);
        std::ofstream(dir / "disk/below/other") << "not of this file system";
    }

    /// A block device with an empty ext4.
    void make_disk() {
        const std::string image = dir / "image";
        const std::string make =
            "truncate -s 4M '" + image + "' && mkfs.ext4 -q -O ^has_journal '" + image + "'";
        ASSERT_EQ(std::system(make.c_str()), 0);
        std::FILE* pipe = ::popen(("losetup -f --show '" + image + "'").c_str(), "r");
        ASSERT_NE(pipe, nullptr);
        std::array<char, 64> line{};
        if (std::fgets(line.data(), line.size(), pipe) != nullptr) loop = line.data();
        ASSERT_EQ(::pclose(pipe), 0);
        loop.erase(loop.find('\n'));
    }

    static std::size_t known_mounts() {
        std::ifstream table("/proc/self/mountinfo");
        std::size_t count = 0;
        for (std::string line; std::getline(table, line);)
            ++count;
        return count;
    }

    static unsigned long flags_of(const PrivateMount& mount) {
        struct statvfs st {};
        EXPECT_EQ(::fstatvfs(mount.root.get(), &st), 0);
        return st.f_flag;
    }

    test::TempDir dir;
    std::string loop;
};

constexpr unsigned long kSafe = ST_NOSUID | ST_NODEV | ST_NOEXEC;

TEST_F(PrivateMountTest, ACloneIsWritableWhereTheMountIsNot) {
    mount_tmpfs();
    const std::string path = dir / "disk";
    ASSERT_EQ(::mount(nullptr, path.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr),
              0);
    const auto before = known_mounts();
    const auto clone = clone_mount(path, Access::Write);
    ASSERT_TRUE(clone);
    EXPECT_EQ(known_mounts(), before);
    EXPECT_EQ(flags_of(*clone) & (kSafe | ST_RDONLY), kSafe);
    replace_file_at(clone->root.get(), "new", as_bytes("x"), 0644);
    EXPECT_EQ(::access((path + "/new").c_str(), F_OK), 0);
    EXPECT_FALSE(std::ofstream(path + "/refused").is_open());
}

TEST_F(PrivateMountTest, ACloneForReadingCannotBeWrittenTo) {
    mount_tmpfs();
    const auto clone = clone_mount(dir / "disk", Access::Read);
    ASSERT_TRUE(clone);
    EXPECT_EQ(flags_of(*clone) & (kSafe | ST_RDONLY), kSafe | ST_RDONLY);
    EXPECT_EQ(find_text_at(clone->root.get(), "file", 100), "content");
    EXPECT_THROW(replace_file_at(clone->root.get(), "new", as_bytes("x"), 0644), Error);
    // The mount itself is as it was.
    EXPECT_TRUE(std::ofstream(dir / "disk/new").is_open());
}

TEST_F(PrivateMountTest, LinksAreNotFollowedAndOtherMountsNotSeen) {
    mount_tmpfs();
    const auto clone = clone_mount(dir / "disk", Access::Read);
    ASSERT_TRUE(clone);
    EXPECT_EQ(::openat(clone->root.get(), "link", O_RDONLY | O_CLOEXEC), -1);
    EXPECT_EQ(errno, ELOOP);
    EXPECT_TRUE(list_dir(open_dir_at(clone->root.get(), "below").get()).empty());
}

TEST_F(PrivateMountTest, ItOutlivesTheMount) {
    mount_tmpfs();
    const auto clone = clone_mount(dir / "disk", Access::Write);
    ASSERT_TRUE(clone);
    ASSERT_EQ(::umount2((dir / "disk").c_str(), MNT_DETACH), 0);
    EXPECT_EQ(find_text_at(clone->root.get(), "file", 100), "content");
    replace_file_at(clone->root.get(), "new", as_bytes("x"), 0644);
}

TEST_F(PrivateMountTest, AMissingPathIsNotFound) {
    try {
        (void)clone_mount(dir / "none", Access::Read);
        ADD_FAILURE() << "cloned";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::NotFound);
    }
}

TEST_F(PrivateMountTest, ADeviceIsMountedWhereNoPathLeads) {
    make_disk();
    const auto before = known_mounts();
    {
        const auto writer = mount_device("ext4", loop, Access::Write);
        EXPECT_EQ(known_mounts(), before);
        EXPECT_EQ(flags_of(writer) & (kSafe | ST_RDONLY), kSafe);
        replace_file_at(writer.root.get(), "new", as_bytes("x"), 0644);
        // A question meanwhile is answered.
        const auto reader = mount_device("ext4", loop, Access::Read);
        EXPECT_EQ(flags_of(reader) & (kSafe | ST_RDONLY), kSafe | ST_RDONLY);
        EXPECT_EQ(find_text_at(reader.root.get(), "new", 10), "x");
    }
    const auto again = mount_device("ext4", loop, Access::Read);
    EXPECT_EQ(find_text_at(again.root.get(), "new", 10), "x");
}

TEST_F(PrivateMountTest, OneThatIsReadOnlyElsewhereIsBusy) {
    make_disk();
    {
        const auto reader = mount_device("ext4", loop, Access::Read);
        try {
            (void)mount_device("ext4", loop, Access::Write);
            ADD_FAILURE() << "mounted";
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::Busy) << e.what();
        }
    }
    EXPECT_NO_THROW((void)mount_device("ext4", loop, Access::Write));
}

TEST_F(PrivateMountTest, AnotherFileSystemIsSaid) {
    make_disk();
    try {
        (void)mount_device("erofs", loop, Access::Read);
        ADD_FAILURE() << "mounted";
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find(loop), std::string::npos) << e.what();
        EXPECT_NE(e.hint(), "");
    }
}

}  // namespace
}  // namespace cfs::mount
