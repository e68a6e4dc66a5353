// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace cfs::test {

/// Catches what is printed and logged from here to take(); the log goes to either stream, depending
/// on who set it up. One at a time.
class CapturedOutput {
 public:
    CapturedOutput() {
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
    }

    CapturedOutput(const CapturedOutput&) = delete;
    CapturedOutput& operator=(const CapturedOutput&) = delete;

    ~CapturedOutput() {
        if (!taken_) (void)take();
    }

    /// Once.
    [[nodiscard]] std::string take() {
        taken_ = true;
        return testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
    }

 private:
    bool taken_ = false;
};

}  // namespace cfs::test
