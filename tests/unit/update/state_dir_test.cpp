// SPDX-License-Identifier: Apache-2.0
#include "update/state_dir.hpp"

#include "base/error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace cfs::update {
namespace {

using test::TempDir;

DeploymentRecord record(const std::string& stem, std::uint64_t serial) {
    DeploymentRecord out;
    out.stem = stem;
    out.serial = serial;
    out.phase = Phase::Staged;
    out.image = *Digest::from_hex(std::string(128, 'a'));
    out.manifest = *Digest::from_hex(std::string(64, 'b'));
    out.version = "1.2 \"quoted\"";
    out.uki_size = 123;
    out.shared_state = true;
    return out;
}

class StateDirTest : public testing::Test {
 protected:
    TempDir root_;
    StateDir state_{root_.fd(), true};
};

TEST_F(StateDirTest, IsPrivate) {
    const auto mode = std::filesystem::status(root_ / "state/cfsupdated").permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_all);
}

TEST_F(StateDirTest, ReadsRecordsBackNewestFirst) {
    state_.save(record("one", 1));
    state_.save(record("two", 2));
    const auto records = state_.deployments();
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].stem, "two");
    EXPECT_EQ(records[1].to_json(), record("one", 1).to_json());
}

TEST_F(StateDirTest, ADamagedRecordIsReportedAndStopsNothing) {
    state_.save(record("one", 1));
    root_.write("state/cfsupdated/deployments/bad.json", "{\"stem\": ");
    root_.write("state/cfsupdated/deployments/renamed.json", record("other", 3).to_json());
    std::vector<std::string> problems;
    EXPECT_EQ(state_.deployments(&problems).size(), 1U);
    EXPECT_EQ(problems.size(), 2U);
}

TEST_F(StateDirTest, SerialsNeverRepeatEvenWhenTheCounterIsLost) {
    const auto first = state_.next_serial();
    state_.save(record("one", first));
    std::filesystem::remove(root_ / "state/cfsupdated/serial");
    EXPECT_EQ(state_.next_serial(), first + 1);
    root_.write("state/cfsupdated/serial", "garbage");
    state_.save(record("two", first + 1));
    EXPECT_EQ(state_.next_serial(), first + 2);
}

TEST_F(StateDirTest, HoldsAndReleasesDigests) {
    const Digest image = *Digest::from_hex(std::string(64, 'c'));
    EXPECT_TRUE(state_.held().empty());
    state_.hold(image, kHeldRolledBack);
    EXPECT_EQ(state_.held().at(image.hex()), "rolled-back");
    state_.release(image);
    EXPECT_TRUE(state_.held().empty());
}

TEST_F(StateDirTest, OnlyOneProcessHasTheLock) {
    {
        const UniqueFd lock = state_.lock();
        EXPECT_THROW((void)StateDir(root_.fd(), false).lock(), Error);
    }
    EXPECT_NO_THROW((void)state_.lock());
}

TEST_F(StateDirTest, RemembersTheLastErrorAndForgetsIt) {
    EXPECT_FALSE(state_.last_error());
    state_.set_last_error(LastError{"DigestMismatch", "what\nhappened", "do this", "details", 7});
    EXPECT_EQ(StateDir(root_.fd(), false).last_error()->message, "what\nhappened");
    state_.set_last_error(std::nullopt);
    EXPECT_FALSE(state_.last_error());
}

TEST_F(StateDirTest, KeepsARollbackIntent) {
    state_.set_rollback_intent(RollbackIntent{"target", {"a", "b"}});
    EXPECT_EQ(state_.rollback_intent()->demote, (std::vector<std::string>{"a", "b"}));
    state_.set_rollback_intent(std::nullopt);
    EXPECT_FALSE(state_.rollback_intent());
}

TEST_F(StateDirTest, WorkStartsEmptyAndIsSwept) {
    const std::string work = state_.make_work("w");
    root_.write("state/cfsupdated/" + work + "/left/over", "x");
    EXPECT_TRUE(std::filesystem::is_empty(root_ / ("state/cfsupdated/" + state_.make_work("w"))));
    state_.sweep_work();
    EXPECT_TRUE(std::filesystem::is_empty(root_ / "state/cfsupdated/work"));
}

TEST(Record, OddTextIsNoRecord) {
    for (const char* text :
         {"", "[]", "{}", "{\"stem\":\"x\"}", "{\"stem\":1,\"phase\":\"staged\"}"}) {
        EXPECT_FALSE(DeploymentRecord::from_json(text)) << text;
    }
    std::string unknown = record("x", 1).to_json();
    unknown.replace(unknown.find("staged"), 6, "future");
    EXPECT_FALSE(DeploymentRecord::from_json(unknown));
}

}  // namespace
}  // namespace cfs::update
