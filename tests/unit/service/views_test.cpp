// SPDX-License-Identifier: Apache-2.0
#include "service/job_view.hpp"
#include "service/manager_view.hpp"

#include <gtest/gtest.h>

namespace cfs::service {
namespace {

using Names = std::vector<std::string>;

TEST(JobView, OnlyWhatDiffersIsNamed) {
    JobView before;
    before.state = JobState::Running;
    EXPECT_EQ(changed_names(before, before), Names{});
    JobView after = before;
    after.progress.done = 5;
    after.progress.message = "layer 2";
    EXPECT_EQ(changed_names(before, after), (Names{"BytesDone", "Message"}));
    after = before;
    after.rate = 1000;
    after.eta = 7;
    EXPECT_EQ(changed_names(before, after), (Names{"Rate", "Eta"}));
    after = before;
    after.state = JobState::Failed;
    after.error = {{"name", std::string("Network")}};
    EXPECT_EQ(changed_names(before, after), (Names{"State", "Cancellable", "Error"}));
}

TEST(JobView, OnlyOneThatWaitsOrRunsCanBeCancelled) {
    for (const auto& [state, expected] : {std::pair{JobState::Queued, true},
                                          {JobState::Running, true},
                                          {JobState::Cancelling, false},
                                          {JobState::Done, false},
                                          {JobState::Failed, false},
                                          {JobState::Cancelled, false}}) {
        JobView view;
        view.state = state;
        EXPECT_EQ(view.cancellable(), expected) << to_string(state);
    }
}

TEST(ManagerView, EveryPropertyIsCompared) {
    update::Status status;
    const ManagerView before = make_view(status, "idle", {});
    const update::DeploymentInfo deployment;
    status.booted = status.staged = status.rollback = deployment;
    status.deployments = {deployment};
    status.fallback = update::Fallback{};
    status.held = {update::HeldVersion{}};
    status.available = update::Available{};
    status.last_error = update::LastError{};
    status.reboot_pending = true;
    status.verity = "enforced";
    status.warnings = {"x"};
    const ManagerView after = make_view(status, "checking", {"/org/cfsupdate1/job/1"});
    EXPECT_EQ(changed_names(before, after),
              (Names{"State",
                     "Booted",
                     "Staged",
                     "Rollback",
                     "Deployments",
                     "Fallback",
                     "Held",
                     "Available",
                     "LastError",
                     "RebootPending",
                     "Verity",
                     "Warnings",
                     "Jobs"}));
    EXPECT_EQ(changed_names(after, after), Names{});
}

}  // namespace
}  // namespace cfs::service
