// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/acquired.hpp"

#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace cfs::sysupdate {
namespace {

const Remembered kSome{"0123456789abcdef", "/org/cfsupdate1/job/7"};

bool is_nothing(const std::string& directory) {
    return read_remembered(directory) == Remembered{};
}

TEST(SysupdateAcquired, IsWhatWasWritten) {
    const test::TempDir dir;
    EXPECT_TRUE(is_nothing(dir / "run")) << "no directory";
    write_remembered(dir / "run", {});
    EXPECT_TRUE(is_nothing(dir / "run"));
    for (const Remembered& what :
         {kSome, Remembered{kSome.digest, ""}, Remembered{"", kSome.job}, Remembered{}}) {
        write_remembered(dir / "run", what);
        EXPECT_EQ(read_remembered(dir / "run"), what);
    }
    struct stat file {};
    ASSERT_EQ(::stat((dir / "run/acquired").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 07777U, 0600U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir / "run"), {}), 1)
        << "nothing else is left there";
}

TEST(SysupdateAcquired, WhatIsNotAsWeWriteItIsNothing) {
    const std::string good = "digest " + kSome.digest + "\n";
    for (const std::string& text : {std::string("x"),
                                    good + "x\n",
                                    good + good,
                                    good + "\n",
                                    good + "job /etc/passwd\n",
                                    std::string("digest \n"),
                                    std::string("digest a b\n"),
                                    std::string("digest a\0b\n", 11),
                                    std::string("digest \x1b[2J\n"),
                                    "digest " + std::string(257, 'a') + "\n",
                                    std::string(1 << 20, 'x')}) {
        const test::TempDir dir;
        dir.write("acquired", text, 0600);
        EXPECT_TRUE(is_nothing(dir / "")) << text.substr(0, 40);
        dir.write("acquired", good, 0600);
        EXPECT_EQ(read_remembered(dir / "").digest, kSome.digest);
    }
}

TEST(SysupdateAcquired, OnlyAFileThatNobodyElseWritesCounts) {
    const std::string good = "digest " + kSome.digest + "\n";
    const test::TempDir dir;
    const std::string file = dir / "acquired";
    dir.write("acquired", good, 0600);
    ASSERT_FALSE(is_nothing(dir / ""));
    ASSERT_EQ(::chmod(file.c_str(), 0622), 0);
    EXPECT_TRUE(is_nothing(dir / ""));
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    ASSERT_EQ(::link(file.c_str(), (dir / "other").c_str()), 0);
    EXPECT_TRUE(is_nothing(dir / "")) << "it has another name";
    ASSERT_EQ(::unlink(file.c_str()), 0);
    ASSERT_EQ(::symlink("other", file.c_str()), 0);
    EXPECT_TRUE(is_nothing(dir / ""));
    ASSERT_EQ(::unlink(file.c_str()), 0);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_TRUE(is_nothing(dir / "")) << "and nobody waits for a writer";
    ASSERT_EQ(::unlink(file.c_str()), 0);
    ASSERT_EQ(::mkdir(file.c_str(), 0700), 0);
    EXPECT_TRUE(is_nothing(dir / ""));
    if (::geteuid() != 0) return;
    ASSERT_EQ(::rmdir(file.c_str()), 0);
    dir.write("acquired", good, 0600);
    ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
    EXPECT_TRUE(is_nothing(dir / "")) << "it is somebody else's";
}

TEST(SysupdateAcquired, OnlyWhatAJobBroughtWasAcquired) {
    const auto result = [](const std::string& outcome, const std::string& digest) {
        return bus::VariantMap{{"outcome", sdbus::Variant{outcome}},
                               {"digest", sdbus::Variant{digest}}};
    };
    EXPECT_EQ(staged_by({"done", result("staged", "aa"), {}}), "aa");
    EXPECT_EQ(staged_by({"done", result("nothing-to-do", "aa"), {}}), "")
        << "somebody else had staged it";
    EXPECT_EQ(staged_by({"done", result("finalized", "aa"), {}}), "");
    EXPECT_EQ(staged_by({"failed", result("staged", "aa"), {}}), "");
    EXPECT_EQ(staged_by({"lost", {}, {}}), "");
    EXPECT_EQ(staged_by({"done", result("staged", "a\nb"), {}}), "")
        << "it could not be read again";
}

}  // namespace
}  // namespace cfs::sysupdate
