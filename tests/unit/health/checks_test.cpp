// SPDX-License-Identifier: Apache-2.0
#include "health/checks.hpp"

#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <thread>

namespace cfs::health {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class Checks : public testing::Test {
 protected:
    void script(const std::string& path, const std::string& text, mode_t mode = 0755) {
        fs::create_directories(fs::path(dir_ / path).parent_path());
        dir_.write(path, "#!/bin/sh\n" + text + "\n");
        ASSERT_EQ(::chmod((dir_ / path).c_str(), mode), 0);
    }

    std::vector<Check> find() {
        return find_checks({dir_ / "image", dir_ / "admin", dir_ / "nowhere"}, problems_);
    }

    CheckResult run(const std::string& text, std::chrono::milliseconds limit = 20s) {
        script("run/required.d/one", text);
        return run_check({"one", dir_ / "run/required.d/one", true}, limit);
    }

    test::TempDir dir_;
    std::vector<std::string> problems_;
};

TEST_F(Checks, RequiredComeFirstAndEachKindByName) {
    script("image/wanted.d/10-a.sh", "");
    script("image/required.d/20-c.sh", "");
    script("admin/required.d/10-b.sh", "");
    const auto found = find();
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].name, "10-b.sh");
    EXPECT_EQ(found[1].name, "20-c.sh");
    EXPECT_EQ(found[2].name, "10-a.sh");
    EXPECT_TRUE(found[0].required);
    EXPECT_FALSE(found[2].required);
    EXPECT_TRUE(problems_.empty());
}

TEST_F(Checks, TheLaterDirectoryDecides) {
    script("image/required.d/a", "");
    script("image/required.d/b", "");
    script("image/wanted.d/a", "");
    script("admin/required.d/a", "");
    fs::create_symlink("/dev/null", dir_ / "admin/required.d/b");
    const auto found = find();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].path, dir_ / "admin/required.d/a");
    EXPECT_EQ(found[1].path, dir_ / "image/wanted.d/a");
}

TEST_F(Checks, WhatIsNoProgramIsSaidAndNotRun) {
    script("image/required.d/readme", "", 0644);
    script("image/required.d/.hidden", "");
    script("image/required.d/old~", "");
    fs::create_symlink("gone", dir_ / "image/required.d/dangling");
    fs::create_directories(dir_ / "image/required.d/folder");
    EXPECT_TRUE(find().empty());
    EXPECT_EQ(problems_.size(), 3U);
}

TEST_F(Checks, ExitCodeAndLastLineTellHowItWent) {
    EXPECT_TRUE(run("echo fine").passed);
    const auto failed = run("echo starting; echo 'no disk' >&2; exit 3");
    EXPECT_FALSE(failed.passed);
    EXPECT_EQ(failed.why, "ended with 3: no disk");
    EXPECT_EQ(failed.output, "starting\nno disk\n");
    EXPECT_EQ(run("exit 1").why, "ended with 1");
    EXPECT_EQ(run("kill -9 $$").why, "was killed by signal 9");
}

TEST_F(Checks, ALongOutputIsCutInFront) {
    const auto failed = run("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end; exit 1");
    EXPECT_EQ(failed.output.size(), 4096U);
    EXPECT_EQ(failed.why, "ended with 1: end");
}

// Many programs take EAGAIN for an error and end.
TEST_F(Checks, OneThatWritesFasterThanItIsReadIsOnlySlower) {
    const auto result =
        run("for i in 1 2 3 4 5 6 7 8; do\n"
            "head -c 3000000 /dev/zero || exit 4\ndone");
    EXPECT_TRUE(result.passed) << result.why;
}

TEST_F(Checks, OneThatHangsIsKilledWithAllItStarted) {
    const std::string flag = dir_ / "flag";
    const auto result = run("(sleep 2; touch " + flag + ") & sleep 60", 300ms);
    EXPECT_FALSE(result.passed);
    EXPECT_EQ(result.why, "took longer than 300 ms");
    std::this_thread::sleep_for(2500ms);
    EXPECT_FALSE(fs::exists(flag));
}

TEST_F(Checks, WhatGoesOnInTheBackgroundHoldsNothingUp) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(run("sleep 30 & exit 0").passed);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 15s);
}

TEST_F(Checks, OneThatCannotBeStartedHasFailed) {
    dir_.write("x", "#!/nowhere/interpreter\n");
    ASSERT_EQ(::chmod((dir_ / "x").c_str(), 0755), 0);
    const auto result = run_check({"x", dir_ / "x", true}, 1s);
    EXPECT_FALSE(result.passed);
    EXPECT_NE(result.why.find("No such file"), std::string::npos) << result.why;
}

}  // namespace
}  // namespace cfs::health
