// SPDX-License-Identifier: Apache-2.0
#include "client/output/progress_view.hpp"

#include "base/fs_at.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

namespace cfs::client {
namespace {

class ProgressViewTest : public testing::Test {
 protected:
    std::string shown(bool live, const std::function<void(ProgressView&)>& use) {
        {
            const UniqueFd fd = open_at(dir_.fd(), "out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
            ProgressView view(fd.get(), live);
            use(view);
        }
        return dir_.read("out");
    }

    test::TempDir dir_;
};

TEST_F(ProgressViewTest, PrintsOneLinePerStageWithoutATerminal) {
    const std::string text = shown(false, [](ProgressView& view) {
        view.stage("fetch");
        view.bytes(1, 2, 0);
        view.stage("fetch");
        view.stage("verify");
    });
    EXPECT_EQ(text, "fetch: fetching layers\nverify: verifying the image\n");
}

TEST_F(ProgressViewTest, PrintsMessagesAsLines) {
    EXPECT_EQ(shown(false, [](ProgressView& view) { view.message("layer 1 of 2"); }),
              "  layer 1 of 2\n");
}

TEST_F(ProgressViewTest, RedrawsOneLineOnATerminalAndRemovesIt) {
    const std::string text = shown(true, [](ProgressView& view) {
        view.stage("fetch");
        view.bytes(10, 10, 0);
    });
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_NE(text.find("100%"), std::string::npos);
    EXPECT_TRUE(text.ends_with("\r\x1b[K"));
}

TEST_F(ProgressViewTest, SurvivesAClosedDescriptor) {
    ProgressView view(-1, false);
    view.stage("fetch");
    view.message("still here");
}

}  // namespace
}  // namespace cfs::client
