// SPDX-License-Identifier: Apache-2.0
#include "client/model.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

Deployment deployment(const std::string& version, const std::string& state) {
    Deployment out;
    out.version = version;
    out.state = state;
    return out;
}

/// Version 1 runs.
Status status() {
    Status out;
    out.booted = deployment("1", "booted");
    out.deployments = {*out.booted};
    return out;
}

TEST(FindPending, NothingIsPendingWhileTheSameStartsAgain) {
    const PendingOutcome outcome = find_pending(status());
    EXPECT_FALSE(outcome.pending);
    EXPECT_FALSE(outcome.next);
    EXPECT_EQ(outcome.booted->version, "1");
}

TEST(FindPending, ARollbackIsPendingThoughNothingIsStaged) {
    Status rolled_back = status();
    rolled_back.reboot_pending = true;
    rolled_back.deployments.push_back(deployment("0", "kept"));
    rolled_back.deployments.back().next = true;
    const PendingOutcome outcome = find_pending(rolled_back);
    EXPECT_TRUE(outcome.pending);
    EXPECT_EQ(outcome.next.value().version, "0");
}

// The loader's choice is something else than the locked stage.
TEST(FindPending, BesideALockedStageAnotherMayBeNext) {
    Status both = status();
    both.reboot_pending = true;
    both.staged = deployment("3", "staged");
    both.staged->locked = true;
    both.deployments = {*both.staged, *both.booted, deployment("0", "kept")};
    both.deployments.back().next = true;
    const PendingOutcome outcome = find_pending(both);
    EXPECT_TRUE(outcome.pending);
    EXPECT_EQ(outcome.next.value().version, "0");
    EXPECT_EQ(outcome.locked.value().version, "3");
}

TEST(FindPending, AnEntryThatIsNotOursHasNoName) {
    Status odd = status();
    odd.reboot_pending = true;
    const PendingOutcome outcome = find_pending(odd);
    EXPECT_TRUE(outcome.pending);
    EXPECT_FALSE(outcome.next);
}

}  // namespace
}  // namespace cfs::client
