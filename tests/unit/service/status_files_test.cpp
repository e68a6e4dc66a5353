// SPDX-License-Identifier: Apache-2.0
#include "app/status_files.hpp"

#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace cfs::app {
namespace {

class StatusFilesTest : public testing::Test {
 protected:
    StatusFilesTest() {
        settings_.tell.motd = "";
        settings_.tell.metrics = dir_ / "collector/cfsupdated.prom";
    }

    [[nodiscard]] bool is_there() const { return std::filesystem::exists(settings_.tell.metrics); }

    test::TempDir dir_;
    settings::Settings settings_;
    update::Status status_;
};

TEST_F(StatusFilesTest, WhatWasShownLastIsWrittenBeforeTheEnd) {
    std::filesystem::create_directory(dir_ / "collector");
    { StatusFiles(settings_, "session").show(status_); }
    EXPECT_TRUE(is_there());
}

TEST_F(StatusFilesTest, WhatCouldNotBeWrittenIsWrittenThoughNothingElseChanged) {
    StatusFiles files(settings_, "session");
    files.show(status_);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::filesystem::create_directory(dir_ / "collector");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_there() && std::chrono::steady_clock::now() < end) {
        files.show(status_);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(is_there());
}

}  // namespace
}  // namespace cfs::app
