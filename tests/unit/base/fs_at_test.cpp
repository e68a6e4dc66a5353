// SPDX-License-Identifier: Apache-2.0
#include "base/fs_at.hpp"

#include "base/error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

namespace cfs {
namespace {

using test::TempDir;

TEST(FsAt, NothingLeavesTheDirectory) {
    const TempDir dir;
    dir.write("in/file", "x");
    EXPECT_THROW((void)open_at(dir.fd(), "../etc", O_RDONLY), Error);
    EXPECT_THROW((void)open_at(dir.fd(), "/etc/passwd", O_RDONLY), Error);
    EXPECT_EQ(dir.read("in/file"), "x");
}

TEST(FsAt, NoComponentMayBeALink) {
    const TempDir dir;
    dir.write("real/file", "x");
    ASSERT_EQ(::symlinkat("real", dir.fd(), "link"), 0);
    EXPECT_THROW((void)open_at(dir.fd(), "link/file", O_RDONLY), Error);
    EXPECT_THROW((void)unlink_at(dir.fd(), "link/file"), Error);
    EXPECT_THROW(remove_tree_at(dir.fd(), "link/file"), Error);
    EXPECT_EQ(dir.read("real/file"), "x");
}

TEST(FsAt, MissingIsNotAnErrorWhereTheNameSaysFind) {
    const TempDir dir;
    EXPECT_FALSE(find_at(dir.fd(), "none/deeper", O_RDONLY));
    EXPECT_FALSE(stat_at(dir.fd(), "none/deeper"));
    EXPECT_FALSE(read_link_at(dir.fd(), "none"));
    EXPECT_FALSE(unlink_at(dir.fd(), "none"));
    EXPECT_NO_THROW(remove_tree_at(dir.fd(), "none/deeper"));
}

TEST(FsAt, ReplaceLeavesNoTemporaryFile) {
    const TempDir dir;
    replace_file_at(dir.fd(), "f", as_bytes("one"), 0600);
    replace_file_at(dir.fd(), "f", as_bytes("two"), 0600);
    EXPECT_EQ(dir.read("f"), "two");
    EXPECT_EQ(list_dir(dir.fd()), std::vector<std::string>{"f"});
}

TEST(FsAt, RenameNoreplaceSaysBusy) {
    const TempDir dir;
    dir.write("a", "1");
    dir.write("b", "2");
    try {
        rename_noreplace_at(dir.fd(), "a", "b");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::Busy);
    }
    rename_exchange_at(dir.fd(), "a", "b");
    EXPECT_EQ(dir.read("a"), "2");
}

TEST(FsAt, RemoveTreeDoesNotFollowLinks) {
    const TempDir dir;
    dir.write("keep/file", "x");
    dir.write("gone/deep/er/file", "y");
    ASSERT_EQ(::symlinkat("../keep", dir.fd(), "gone/link"), 0);
    remove_tree_at(dir.fd(), "gone");
    EXPECT_EQ(list_dir(dir.fd()), std::vector<std::string>{"keep"});
    EXPECT_EQ(dir.read("keep/file"), "x");
}

TEST(FsAt, MakeDirsKeepsWhatIsThere) {
    const TempDir dir;
    make_dirs_at(dir.fd(), "a/b/c", 0755);
    dir.write("a/b/c/f", "x");
    make_dirs_at(dir.fd(), "a/b/c", 0755);
    EXPECT_EQ(dir.read("a/b/c/f"), "x");
}

TEST(FsAt, ReadsNothingLargerThanItsLimit) {
    const TempDir dir;
    dir.write("f", "12345");
    EXPECT_EQ(read_file_at(dir.fd(), "f", 5).size(), 5U);
    EXPECT_THROW((void)read_file_at(dir.fd(), "f", 4), Error);
}

}  // namespace
}  // namespace cfs
