// SPDX-License-Identifier: Apache-2.0
#include "base/publish_file.hpp"

#include "base/error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

namespace cfs {
namespace {

/// This process's.
std::string temporary() {
    return ".motd." + std::to_string(::getpid()) + ".new";
}

namespace fs = std::filesystem;

TEST(PublishFile, IsReadableByEverybodyAndAlone) {
    const test::TempDir dir;
    const mode_t before = ::umask(0077);
    publish_file(dir / "motd", "one\n");
    publish_file(dir / "motd", "two\n");
    ::umask(before);
    EXPECT_EQ(dir.read("motd"), "two\n");
    EXPECT_EQ(fs::status(dir / "motd").permissions(), fs::perms(0644));
    EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), {}), 1);
}

TEST(PublishFile, ReplacesALinkAndDoesNotFollowIt) {
    const test::TempDir dir;
    dir.write("precious", "kept\n");
    fs::create_symlink("precious", dir / "motd");
    fs::create_symlink("precious", dir / temporary());
    publish_file(dir / "motd", "text\n");
    EXPECT_EQ(dir.read("precious"), "kept\n");
    EXPECT_FALSE(fs::is_symlink(dir / "motd"));
    EXPECT_FALSE(fs::exists(fs::symlink_status(dir / temporary())));
}

TEST(PublishFile, TidiesWhatACrashLeft) {
    const test::TempDir dir;
    dir.write(temporary(), "half");
    publish_file(dir / "motd", "text\n");
    EXPECT_FALSE(fs::exists(dir / temporary()));
    dir.write(temporary(), "half");
    withdraw_file(dir / "motd");
    EXPECT_TRUE(fs::is_empty(dir.path()));
}

TEST(PublishFile, IsNeverSeenInPart) {
    const test::TempDir dir;
    const std::string one(200'000, 'a');
    const std::string two(100'000, 'b');
    publish_file(dir / "file", one);
    std::jthread writer([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            publish_file(dir / "file", two);
            publish_file(dir / "file", one);
        }
    });
    for (int i = 0; i < 300; ++i) {
        const std::string seen = dir.read("file");
        ASSERT_TRUE(seen == one || seen == two) << seen.size();
    }
}

TEST(PublishFile, MakesNoDirectories) {
    const test::TempDir dir;
    EXPECT_THROW(publish_file(dir / "none/motd", "text\n"), Error);
    EXPECT_THROW(publish_file("motd", "text\n"), Error);
    EXPECT_FALSE(fs::exists(dir / "none"));
    withdraw_file(dir / "none/motd");
    withdraw_file(dir / "motd");
}

}  // namespace
}  // namespace cfs
