// SPDX-License-Identifier: Apache-2.0
#include "service/motd.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cfs::service {
namespace {

using update::DeploymentInfo;
using update::DeploymentState;

constexpr const char* kMore = "cfsupdated: 'cfsctl status' says more\n";

DeploymentInfo deployment(const std::string& version, DeploymentState state) {
    DeploymentInfo out;
    out.version = version;
    out.digest = version;
    out.state = state;
    return out;
}

/// Version 1 runs, with these before it.
update::Status status(std::vector<DeploymentInfo> newer = {}) {
    update::Status out;
    out.booted = deployment("1", DeploymentState::Booted);
    out.deployments = std::move(newer);
    out.deployments.push_back(*out.booted);
    return out;
}

TEST(Motd, IsEmptyWhileAllIsWell) {
    update::Status plain = status();
    plain.deployments.push_back(deployment("0", DeploymentState::RolledBack));
    plain.warnings = {"the ESP is nearly full"};
    EXPECT_EQ(motd_text(plain), "") << "what is older, and what status has for those who look";
}

TEST(Motd, SaysThatARestartIsDue) {
    update::Status pending = status({deployment("2", DeploymentState::Armed)});
    pending.staged = pending.deployments[0];
    pending.reboot_pending = true;
    EXPECT_EQ(motd_text(pending),
              std::string("cfsupdated: version 2 runs after the next restart\n") + kMore);
    update::Status back = status();
    back.deployments.push_back(deployment("0", DeploymentState::Kept));
    back.deployments.back().next = true;
    back.reboot_pending = true;
    EXPECT_EQ(motd_text(back).find("cfsupdated: version 0 runs after"), 0U) << motd_text(back);
}

TEST(Motd, ALockedStageWaitsForAPerson) {
    update::Status locked = status({deployment("2", DeploymentState::Staged)});
    locked.staged = locked.deployments[0];
    locked.staged->locked = true;
    EXPECT_EQ(
        motd_text(locked),
        std::string("cfsupdated: version 2 is staged; 'cfsctl finalize' makes it next\n") + kMore);
}

TEST(Motd, AFallbackIsSaidOnceWithItsReason) {
    update::Status fell = status({deployment("2", DeploymentState::Failed)});
    fell.fallback = update::Fallback{"2", "2", "os_2", "db.sh ended with 1", 1, 2};
    EXPECT_EQ(motd_text(fell),
              std::string("cfsupdated: version 2 did not come up and is held: db.sh ended with "
                          "1\n") +
                  kMore);
}

TEST(Motd, WhatIsHeldAndNewerIsNamed) {
    const update::Status held = status(
        {deployment("3", DeploymentState::Failed), deployment("2", DeploymentState::RolledBack)});
    EXPECT_EQ(motd_text(held),
              std::string("cfsupdated: version 3 is held (failed): it is not installed by itself\n"
                          "cfsupdated: version 2 is held (rolled back): it is not installed by "
                          "itself\n") +
                  kMore);
}

TEST(Motd, AFinalizeThatFailedSaysWhatToDo) {
    update::Status failed = status();
    failed.finalize_failure =
        update::LastError{"MergeConflict", "version 2 was not made ready: x", "decide", "", 1};
    EXPECT_EQ(motd_text(failed),
              std::string("cfsupdated: at the last shutdown: version 2 was not made ready: x; "
                          "decide\n") +
                  kMore);
}

// Whoever makes an image does not write to the terminals of others.
TEST(Motd, TextOfImagesIsPlain) {
    const std::string hostile = "2\n\033[2J\033]0;t\007root: type your password\u202e";
    update::Status bad = status({deployment(hostile, DeploymentState::RolledBack)});
    bad.staged = deployment(hostile, DeploymentState::Armed);
    bad.reboot_pending = true;
    bad.fallback = update::Fallback{hostile, "x", "x", hostile + std::string(5000, 'A'), 1, 2};
    bad.finalize_failure = update::LastError{"Io", hostile, hostile, hostile, 1};
    const std::string text = motd_text(bad);
    EXPECT_LT(text.size(), 3000U);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) {
        return c == '\n' || (c >= ' ' && c <= '~');
    })) << text;
    std::size_t at = 0;
    for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
        EXPECT_EQ(text.compare(at, 12, "cfsupdated: "), 0) << text.substr(at, end - at);
}

}  // namespace
}  // namespace cfs::service
