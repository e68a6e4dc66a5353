// SPDX-License-Identifier: Apache-2.0
#include "client/image/output_file.hpp"

#include "base/error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

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

TEST(OutputFile, IsNoDirectory) {
    const test::TempDir dir;
    EXPECT_THROW(OutputFile{dir.path()}, Error);
    EXPECT_THROW(OutputFile{dir / "missing/out"}, Error);
    EXPECT_THROW(OutputFile{""}, Error);
}

}  // namespace
}  // namespace cfs::client
