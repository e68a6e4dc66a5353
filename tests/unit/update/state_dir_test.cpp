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
}

/// What a failing disk or a stray editor leaves in a number's file.
const std::vector<std::string> kDamagedNumbers = {
    "", "\n", "garbage", "3x", "-1", " 3", "3\n4\n", "99999999999999999999", std::string(9, '\0')};

TEST_F(StateDirTest, ADamagedCounterNeverGivesANumberTwice) {
    for (const std::string& text : kDamagedNumbers) {
        root_.write("state/cfsupdated/serial", "41\n");
        root_.write("state/cfsupdated/job-id", "41\n");
        // Deployments 42 and 43 came and went: no record knows of them.
        for (int i = 0; i < 2; ++i) {
            (void)state_.next_serial();
            (void)state_.next_job_id();
        }
        root_.write("state/cfsupdated/serial", text);
        root_.write("state/cfsupdated/job-id", text);
        const auto serial = state_.next_serial();
        EXPECT_GT(serial, 43U) << printable(text);
        EXPECT_EQ(state_.next_serial(), serial + 1) << printable(text);
        const auto id = state_.next_job_id();
        EXPECT_GT(id, 43U) << printable(text);
        EXPECT_EQ(state_.next_job_id(), id + 1) << printable(text);
    }
}

TEST_F(StateDirTest, ACounterThatWasDamagedTwiceStillGoesUp) {
    root_.write("state/cfsupdated/serial", "x");
    const auto first = state_.next_serial();
    state_.save(record("one", first + 1000));
    root_.write("state/cfsupdated/serial", "x");
    EXPECT_GT(state_.next_serial(), first + 1000);
}

TEST_F(StateDirTest, ACounterAtItsEndDoesNotBeginAnew) {
    root_.write("state/cfsupdated/serial", "18446744073709551615\n");
    EXPECT_GT(state_.next_serial(), 1000U);
}

TEST_F(StateDirTest, NoFloorIsZeroAndItOnlyRises) {
    EXPECT_EQ(state_.floor(), 0U);
    state_.raise_floor(0);
    EXPECT_FALSE(std::filesystem::exists(root_ / "state/cfsupdated/floor"));
    state_.raise_floor(7);
    EXPECT_EQ(StateDir(root_.fd(), false).floor(), 7U);
    state_.raise_floor(6);
    EXPECT_EQ(state_.floor(), 7U);
    state_.raise_floor(~std::uint64_t{0});
    EXPECT_EQ(state_.floor(), ~std::uint64_t{0});
}

/// What `read` says of trust state that is damaged: never a value.
template <typename F>
void expect_corrupt(F&& read, const std::string& file, const std::string& what) {
    try {
        std::forward<F>(read)();
        ADD_FAILURE() << "accepted: " << printable(what);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::StateCorrupt) << printable(what);
        EXPECT_NE(std::string(e.what()).find("'state/cfsupdated/" + file + "'"), std::string::npos)
            << e.what();
        EXPECT_NE(e.hint().find("remove"), std::string::npos) << e.hint();
    }
}

TEST_F(StateDirTest, ADamagedFloorAllowsNothing) {
    for (const std::string& text : kDamagedNumbers) {
        root_.write("state/cfsupdated/floor", text);
        expect_corrupt([&] { (void)state_.floor(); }, "floor", text);
        expect_corrupt([&] { state_.raise_floor(9); }, "floor", text);
        EXPECT_EQ(root_.read("state/cfsupdated/floor"), text);
        std::vector<std::string> problems;
        (void)state_.floor(problems);
        EXPECT_EQ(problems.size(), 1U) << printable(text);
    }
}

TEST_F(StateDirTest, DamagedHeldDigestsAllowNothing) {
    const std::string good = std::string(128, 'c');
    const Digest other = *Digest::from_hex(std::string(128, 'd'));
    for (const std::string& text : {std::string(),
                                    std::string("{"),
                                    std::string("[]"),
                                    std::string(9, '\0'),
                                    "{\"" + good + "\":1}",
                                    "{\"" + good.substr(1) + "\":\"rolled-back\"}"}) {
        root_.write("state/cfsupdated/held.json", text);
        expect_corrupt([&] { (void)state_.held(); }, "held.json", text);
        expect_corrupt([&] { state_.hold(other, kHeldRolledBack); }, "held.json", text);
        expect_corrupt([&] { state_.release(other); }, "held.json", text);
        EXPECT_EQ(root_.read("state/cfsupdated/held.json"), text);
    }
}

TEST_F(StateDirTest, AReportShowsTheHeldDigestsThatCanBeRead) {
    const std::string good = std::string(128, 'c');
    root_.write("state/cfsupdated/held.json", "{\"" + good + "\":\"rolled-back\",\"x\":\"y\"}");
    std::vector<std::string> problems;
    const auto held = state_.held(problems);
    EXPECT_EQ(held, (std::map<std::string, std::string>{{good, "rolled-back"}}));
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_NE(problems[0].find("'state/cfsupdated/held.json'"), std::string::npos) << problems[0];
    EXPECT_NE(problems[0].find("remove"), std::string::npos) << problems[0];
}

TEST_F(StateDirTest, TrustStateThatCannotBeReadAllowsNothing) {
    // A directory opens and does not read, as a file on a failing disk.
    std::filesystem::create_directory(root_ / "state/cfsupdated/floor");
    std::filesystem::create_directory(root_ / "state/cfsupdated/held.json");
    expect_corrupt([&] { (void)state_.floor(); }, "floor", "a directory");
    expect_corrupt([&] { (void)state_.held(); }, "held.json", "a directory");
    std::vector<std::string> problems;
    EXPECT_EQ(state_.floor(problems), 0U);
    EXPECT_TRUE(state_.held(problems).empty());
    EXPECT_EQ(problems.size(), 2U);
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

/// A directory that is nested deeper than remove_tree_at goes.
class Nested {
 public:
    explicit Nested(std::string path) : path_(std::move(path)) {
        std::filesystem::create_directories(path_ + upper_);
        std::filesystem::create_directories(path_ + upper_ + upper_);
    }

    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

    /// In two steps: each level keeps a descriptor open.
    ~Nested() {
        std::error_code ignored;
        std::filesystem::remove_all(path_ + upper_, ignored);
        std::filesystem::remove_all(path_, ignored);
    }

 private:
    std::string path_;
    std::string upper_ = repeated("/d", 520);

    static std::string repeated(const std::string& text, int times) {
        std::string out;
        for (int i = 0; i < times; ++i)
            out += text;
        return out;
    }
};

TEST_F(StateDirTest, SweepsWhatItCanAndSaysWhatItCannot) {
    (void)state_.make_work("z");
    const Nested stuck(root_ / "state/cfsupdated/work/stuck");
    testing::internal::CaptureStdout();
    EXPECT_NO_THROW(state_.remove_work("stuck"));
    EXPECT_NO_THROW(state_.sweep_work());
    const std::string log = testing::internal::GetCapturedStdout();
    EXPECT_NE(log.find("'state/cfsupdated/work/stuck'"), std::string::npos) << log;
    EXPECT_NE(log.find("rm -rf"), std::string::npos) << log;
    EXPECT_FALSE(std::filesystem::exists(root_ / "state/cfsupdated/work/z"));
}

TEST_F(StateDirTest, AWorkFolderThatIsNoneStopsNoVerb) {
    std::filesystem::remove(root_ / "state/cfsupdated/work");
    root_.write("state/cfsupdated/work", "x");
    testing::internal::CaptureStdout();
    EXPECT_NO_THROW(state_.sweep_work());
    const std::string log = testing::internal::GetCapturedStdout();
    EXPECT_NE(log.find("'state/cfsupdated/work'"), std::string::npos) << log;
}

TEST_F(StateDirTest, SweepsTheOtherTemporariesToo) {
    // A directory: unlink refuses it.
    root_.write("state/cfsupdated/.floor.0123456789ab/x", "x");
    root_.write("state/cfsupdated/.held.json.0123456789ab", "x");
    root_.write("state/cfsupdated/deployments/.one.json.0123456789ab", "x");
    testing::internal::CaptureStdout();
    EXPECT_NO_THROW(state_.sweep_temporaries());
    const std::string log = testing::internal::GetCapturedStdout();
    EXPECT_NE(log.find("'state/cfsupdated/.floor.0123456789ab'"), std::string::npos) << log;
    EXPECT_FALSE(std::filesystem::exists(root_ / "state/cfsupdated/.held.json.0123456789ab"));
    EXPECT_TRUE(std::filesystem::is_empty(root_ / "state/cfsupdated/deployments"));
}

/// Somebody may be about to rename them: they are written without the lock that a sweep needs.
TEST_F(StateDirTest, LeavesTemporariesThatMayBeInUse) {
    for (const char* file : {".policy.json.0123456789ab", ".paused-job.json.0123456789ab"}) {
        root_.write(std::string("state/cfsupdated/") + file, "x");
        state_.sweep_temporaries();
        EXPECT_TRUE(std::filesystem::exists(root_ / (std::string("state/cfsupdated/") + file)));
    }
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
