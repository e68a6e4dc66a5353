// SPDX-License-Identifier: Apache-2.0
// Trees that chattr(1) protects, as people do with /etc/resolv.conf.
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "support/file_flags.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

namespace cfs {
namespace {

class RemoveTree : public testing::Test {
 protected:
    void SetUp() override {
        const std::string why = test::FileFlags::missing_in(dir_.path());
        if (!why.empty()) GTEST_SKIP() << why;
        dir_.write("keep", "x");
        dir_.write("etc/resolv.conf", "nameserver 192.0.2.1\n");
        dir_.write("etc/deep/er/file", "y");
        ASSERT_EQ(::symlinkat("../keep", dir_.fd(), "etc/link"), 0);
        ASSERT_EQ(::mkfifoat(dir_.fd(), "etc/deep/fifo", 0600), 0);
    }

    void expect_removed() {
        EXPECT_NO_THROW(remove_tree_at(dir_.fd(), "etc"));
        EXPECT_EQ(list_dir(dir_.fd()), std::vector<std::string>{"keep"});
    }

    test::TempDir dir_;
    test::FileFlags flags_;
};

TEST_F(RemoveTree, TakesAnImmutableFile) {
    flags_.add(dir_ / "etc/resolv.conf");
    expect_removed();
}

TEST_F(RemoveTree, TakesAFileThatOnlyGrows) {
    flags_.add(dir_ / "etc/resolv.conf", FS_APPEND_FL);
    expect_removed();
}

TEST_F(RemoveTree, TakesImmutableDirectoriesAndWhatIsInThem) {
    flags_.add(dir_ / "etc/deep/er/file");
    flags_.add(dir_ / "etc/deep/er");
    flags_.add(dir_ / "etc/deep");
    flags_.add(dir_ / "etc");
    expect_removed();
}

TEST_F(RemoveTree, TakesADirectoryThatOnlyGrows) {
    flags_.add(dir_ / "etc/deep", FS_APPEND_FL | FS_IMMUTABLE_FL);
    expect_removed();
}

TEST_F(RemoveTree, TakesASingleImmutableFile) {
    flags_.add(dir_ / "etc/resolv.conf");
    remove_tree_at(dir_.fd(), "etc/resolv.conf");
    EXPECT_FALSE(stat_at(dir_.fd(), "etc/resolv.conf"));
}

TEST_F(RemoveTree, LeavesTheProtectionOfWhatItDoesNotRemove) {
    flags_.add(dir_ / "etc");
    try {
        remove_tree_at(dir_.fd(), "etc/deep");
        FAIL() << "removed from an immutable directory";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::AccessDenied);
        EXPECT_NE(std::string(e.what()).find("'etc/deep'"), std::string::npos) << e.what();
        EXPECT_NE(e.hint().find("chattr -i -a"), std::string::npos) << e.hint();
    }
    EXPECT_EQ(test::FileFlags::get(dir_ / "etc"), FS_IMMUTABLE_FL);
}

TEST_F(RemoveTree, NamesTheWholePathOfWhatStays) {
    flags_.add(dir_ / "etc");
    try {
        remove_tree_at(dir_.fd(), "etc/resolv.conf");
        FAIL() << "removed from an immutable directory";
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("'etc/resolv.conf'"), std::string::npos) << e.what();
        EXPECT_NE(e.hint().find("chattr -i -a"), std::string::npos) << e.hint();
    }
}

}  // namespace
}  // namespace cfs
