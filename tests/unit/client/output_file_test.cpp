// SPDX-License-Identifier: Apache-2.0
#include "client/image/output_file.hpp"

#include "base/error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

namespace cfs::client {
namespace {

std::vector<std::string> names_in(const std::string& path) {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path))
        out.push_back(entry.path().filename());
    return out;
}

TEST(OutputFile, AppearsWhenItIsComplete) {
    const test::TempDir dir;
    OutputFile file(dir / "out");
    file.write(as_bytes("one "));
    file.write(as_bytes("two"));
    EXPECT_TRUE(names_in(dir.path()).empty());
    file.commit();
    EXPECT_EQ(dir.read("out"), "one two");
    EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"out"});
}

TEST(OutputFile, LeavesTheOldContentUntilThen) {
    const test::TempDir dir;
    dir.write("out", "old");
    {
        OutputFile file(dir / "out");
        file.write(as_bytes("half"));
    }
    EXPECT_EQ(dir.read("out"), "old");
    EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"out"});
}

TEST(OutputFile, ReplacesTheOldContent) {
    const test::TempDir dir;
    dir.write("out", "old");
    OutputFile file(dir / "out");
    file.write(as_bytes("new"));
    file.commit();
    EXPECT_EQ(dir.read("out"), "new");
}

TEST(OutputFile, NeverReplacesADevice) {
    const test::TempDir dir;
    std::filesystem::create_symlink("/dev/null", dir / "out");
    OutputFile file(dir / "out");
    file.write(as_bytes("gone"));
    file.commit();
    EXPECT_TRUE(std::filesystem::is_symlink(dir / "out"));
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(OutputFile, IsForWhomItsModeSays) {
    const test::TempDir dir;
    dir.write("out", "old", 0644);
    for (const auto kind : {OutputKind::Replace, OutputKind::New}) {
        if (kind == OutputKind::New) std::filesystem::remove(dir / "out");
        OutputFile file(dir / "out", kind, 0600);
        file.commit();
        struct stat found {};
        ASSERT_EQ(::stat((dir / "out").c_str(), &found), 0);
        EXPECT_EQ(found.st_mode & 0777U, 0600U);
    }
}

TEST(NewOutputFile, AppearsWhenItIsComplete) {
    const test::TempDir dir;
    {
        OutputFile file(dir / "out", OutputKind::New);
        file.write(as_bytes("half"));
    }
    EXPECT_TRUE(names_in(dir.path()).empty());
    OutputFile file(dir / "out", OutputKind::New);
    file.write(as_bytes("new"));
    file.commit();
    EXPECT_EQ(dir.read("out"), "new");
    EXPECT_EQ(names_in(dir.path()), std::vector<std::string>{"out"});
}

// Opening a FIFO that nobody reads would not even come back.
TEST(NewOutputFile, TouchesNothingThatHasItsName) {
    const test::TempDir dir;
    dir.write("victim", "old");
    std::filesystem::create_symlink(dir / "victim", dir / "link");
    std::filesystem::create_symlink(dir / "missing", dir / "dangling");
    std::filesystem::create_symlink("/dev/null", dir / "device");
    ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0666), 0);
    const std::string before = test::tree_listing(dir.path());
    for (const char* const name : {"victim", "link", "dangling", "device", "fifo"})
        EXPECT_THROW((OutputFile{dir / name, OutputKind::New}), Error) << name;
    EXPECT_EQ(test::tree_listing(dir.path()), before);
}

TEST(NewOutputFile, ReplacesNothingThatCameMeanwhile) {
    const test::TempDir dir;
    dir.write("victim", "old");
    OutputFile file(dir / "out", OutputKind::New);
    file.write(as_bytes("new"));
    std::filesystem::create_symlink(dir / "victim", dir / "out");
    const std::string before = test::tree_listing(dir.path());
    EXPECT_THROW(file.commit(), Error);
    EXPECT_EQ(test::tree_listing(dir.path()), before);
}

TEST(OutputFile, IsNoDirectory) {
    const test::TempDir dir;
    EXPECT_THROW(OutputFile{dir.path()}, Error);
    EXPECT_THROW(OutputFile{dir / "missing/out"}, Error);
    EXPECT_THROW(OutputFile{""}, Error);
}

}  // namespace
}  // namespace cfs::client
