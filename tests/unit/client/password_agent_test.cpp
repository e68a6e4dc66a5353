// SPDX-License-Identifier: Apache-2.0
#include "client/bus/password_agent.hpp"

#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <string>

namespace cfs::client {
namespace {

/// A program as pkttyagent is: says that it is ready by closing the descriptor, then waits.
std::string agent(const test::TempDir& dir, const std::string& then) {
    dir.write("agent",
              "#!/bin/bash\necho $$ \"$@\" > " + dir / "args" + "\nready=$2\nexec {ready}>&-\n" +
                  then + "\n",
              0755);
    return dir / "agent";
}

TEST(PasswordAgent, IsStartedAsAFallbackAndEndsWithUs) {
    const test::TempDir dir;
    pid_t pid = 0;
    {
        const PasswordAgent running(agent(dir, "exec sleep 100").c_str());
        ASSERT_TRUE(running.runs());
        const std::string args = dir.read("args");
        pid = static_cast<pid_t>(std::stol(args));
        EXPECT_NE(args.find(" --notify-fd "), std::string::npos) << args;
        EXPECT_NE(args.find(" --fallback\n"), std::string::npos) << args;
        EXPECT_EQ(::kill(pid, 0), 0);
    }
    EXPECT_NE(::kill(pid, 0), 0) << "it runs on";
}

TEST(PasswordAgent, OneThatEndsAtOnceHoldsNobodyUp) {
    const test::TempDir dir;
    const auto start = std::chrono::steady_clock::now();
    const PasswordAgent ended(agent(dir, "exit 1").c_str());
    const PasswordAgent absent((dir / "nothing").c_str());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

// Tests have no terminal, or run as root; both are reasons.
TEST(PasswordAgent, RunsForNobodyWhoCouldNotAnswer) {
    EXPECT_FALSE(PasswordAgent("unix:path=/run/bus", true).runs());
    EXPECT_FALSE(PasswordAgent("session", true).runs());
    EXPECT_FALSE(PasswordAgent("system", false).runs());
}

}  // namespace
}  // namespace cfs::client
