// SPDX-License-Identifier: Apache-2.0
// Jobs that are stopped and go on later.
#include "job_table.hpp"

namespace cfs::service {
namespace {

using namespace std::chrono_literals;

class PausedJobs : public JobTable {
 protected:
    void SetUp() override {
        engine_.set_verb([this](update::ProgressSink& progress, const std::stop_token& stop) {
            progress.stage("fetch");
            progress.bytes(5, 10, 0);
            door_.pass(stop);
        });
    }

    [[nodiscard]] bool is_paused(std::uint64_t id) const {
        return views_.contains(id) && views_.at(id).state == JobState::Paused;
    }

    /// A job that is paused in the middle.
    std::uint64_t pause_one(const JobRequest& request = update_request("x")) {
        const std::uint64_t id = jobs_->submit(request, {1000, ":1.7"});
        EXPECT_TRUE(door_.wait_until_reached());
        jobs_->pause(id);
        run_until([&] { return is_paused(id); });
        return id;
    }

    ErrorCode code_of(const std::function<void()>& call) {
        try {
            call();
        } catch (const Error& e) {
            EXPECT_FALSE(e.hint().empty() && e.code() != ErrorCode::NotFound) << e.what();
            return e.code();
        }
        ADD_FAILURE() << "nothing was thrown";
        return ErrorCode::Internal;
    }
};

TEST_F(PausedJobs, StopAndKeepTheirNumberAndProgressAndAreOnRecord) {
    start_and_wait_until_idle();
    JobRequest request = update_request("x");
    request.expected_digest = "sha256:00";
    request.finalize = false;
    request.lock = true;
    const std::uint64_t id = pause_one(request);
    EXPECT_EQ(jobs_->active(), nullptr);
    ASSERT_NE(jobs_->paused(), nullptr);
    EXPECT_EQ(jobs_->paused()->id, id);
    EXPECT_EQ(jobs_->paused()->progress.done, 5U);
    EXPECT_EQ(jobs_->state_name(), "paused");
    EXPECT_FALSE(seen("ended " + std::to_string(id) + " cancelled"));
    const auto record = engine_.paused_job();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->id, id);
    EXPECT_EQ(record->user, 1000U);
    EXPECT_EQ(record->options.image, "x");
    EXPECT_EQ(record->options.expected_digest, "sha256:00");
    EXPECT_FALSE(record->options.finalize);
    EXPECT_TRUE(record->options.locked);
    jobs_->pause(id);  // it is so already
}

TEST_F(PausedJobs, GoOnWithTheSameRequestUnderTheSameNumber) {
    start_and_wait_until_idle();
    const std::uint64_t id = pause_one();
    door_.open();
    jobs_->resume(id);
    EXPECT_EQ(jobs_->paused(), nullptr);
    EXPECT_EQ(jobs_->active()->id, id);
    jobs_->resume(id);  // it does so already
    run_until_ended(id);
    EXPECT_EQ(views_.at(id).state, JobState::Done);
    EXPECT_FALSE(engine_.paused_job()) << "a crash from now on leaves no paused job";
    EXPECT_EQ(engine_.calls(),
              (std::vector<std::string>{"reconcile",
                                        "update image=x finalize=1 digest=",
                                        "update image=x finalize=1 digest="}));
    EXPECT_GT(jobs_->submit(update_request("y")), id);
}

TEST_F(PausedJobs, SurviveARestart) {
    start_and_wait_until_idle();
    const std::uint64_t id = pause_one();
    bool down = false;
    jobs_->shut_down([&] { down = true; });
    run_until([&] { return down; });
    events_.clear();
    views_.clear();
    start_and_wait_until_ready();
    EXPECT_EQ(events_.front(), "added " + std::to_string(id) + " paused")
        << "clients find it as soon as they can call";
    run_until([this] { return jobs_->state_name() == "paused"; });
    EXPECT_EQ(views_.at(id).initiator.uid, 1000U);
    EXPECT_EQ(views_.at(id).initiator.name, "") << "that name is somebody else's now";
    door_.open();
    jobs_->resume(id);
    run_until_ended(id);
    EXPECT_EQ(engine_.calls().back(), "update image=x finalize=1 digest=");
}

// SIGTERM between the wish and the record.
TEST_F(PausedJobs, ShuttingDownWaitsForThePauseInsteadOfCancelling) {
    test::Door record;
    engine_.on_pause = [&] { record.pass(); };
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request("x"));
    ASSERT_TRUE(door_.wait_until_reached());
    jobs_->pause(id);
    ASSERT_TRUE(record.wait_until_reached());
    bool down = false;
    jobs_->shut_down([&] { down = true; });
    record.open();
    run_until([&] { return down; });
    EXPECT_EQ(views_.at(id).state, JobState::Paused);
    EXPECT_TRUE(engine_.paused_job());
}

TEST_F(PausedJobs, LetOtherJobsRunButNoUpdate) {
    start_and_wait_until_idle();
    const std::uint64_t id = pause_one();
    const Initiator user{1001, ":1.8"};
    EXPECT_EQ(code_of([&] { jobs_->submit(update_request("x"), user); }), ErrorCode::Inhibited);
    EXPECT_EQ(code_of([&] { jobs_->submit(update_request("y"), user); }), ErrorCode::Inhibited);
    JobRequest check;
    const std::uint64_t other = jobs_->submit(check);
    EXPECT_EQ(code_of([&] { jobs_->resume(id); }), ErrorCode::Busy);
    EXPECT_TRUE(is_paused(id));
    door_.open();
    run_until_ended(other);
    EXPECT_EQ(jobs_->state_name(), "paused");
}

// Whoever sits at the machine may start an update and pause it; that must not stop the timer's.
TEST_F(PausedJobs, OfAUserDoNotHoldUpRoot) {
    start_and_wait_until_idle();
    const std::uint64_t id = pause_one();
    door_.open();
    const std::uint64_t other = jobs_->submit(update_request("y"));
    run_until_ended(other);
    EXPECT_EQ(views_.at(id).state, JobState::Cancelled);
    EXPECT_EQ(views_.at(other).state, JobState::Done);
    EXPECT_EQ(jobs_->paused(), nullptr);
    EXPECT_FALSE(engine_.paused_job());
}

TEST_F(PausedJobs, OfRootHoldUpRoot) {
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request("x"));
    ASSERT_TRUE(door_.wait_until_reached());
    jobs_->pause(id);
    run_until([&] { return is_paused(id); });
    EXPECT_EQ(code_of([&] { jobs_->submit(update_request("y")); }), ErrorCode::Inhibited);
}

TEST_F(PausedJobs, AreGivenUpByCancel) {
    start_and_wait_until_idle();
    const std::uint64_t id = pause_one();
    jobs_->cancel(id);
    EXPECT_EQ(views_.at(id).state, JobState::Cancelling);
    EXPECT_EQ(code_of([&] { jobs_->resume(id); }), ErrorCode::Busy);
    run_until_ended(id);
    EXPECT_EQ(views_.at(id).state, JobState::Cancelled);
    EXPECT_EQ(views_.at(id).error.at("name"), Value(std::string("Cancelled")));
    EXPECT_FALSE(engine_.paused_job());
    EXPECT_EQ(jobs_->state_name(), "idle");
    EXPECT_EQ(code_of([&] { jobs_->resume(id); }), ErrorCode::NotFound);
    EXPECT_EQ(code_of([&] { jobs_->pause(id); }), ErrorCode::NotFound);
}

TEST_F(PausedJobs, StayWhenGivingThemUpCannotBeRecorded) {
    start_and_wait_until_idle();
    const std::uint64_t id = pause_one();
    engine_.on_pause = [] { throw Error(ErrorCode::Io, "read-only", "Look at the disk."); };
    jobs_->cancel(id);
    run_until([&] { return is_paused(id); });
    EXPECT_TRUE(engine_.paused_job());
    jobs_->resume(id);
    run_until([&] { return is_paused(id); });
    EXPECT_EQ(engine_.calls().size(), 2U) << "it did not run while it was on record as paused";
}

// Between the record and the main thread's knowing of it.
TEST_F(PausedJobs, CancelWinsOverAPauseThatIsUnderWay) {
    test::Door record;
    engine_.on_pause = [&] { record.pass(); };
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request("x"));
    ASSERT_TRUE(door_.wait_until_reached());
    jobs_->pause(id);
    ASSERT_TRUE(record.wait_until_reached());
    EXPECT_EQ(code_of([&] { jobs_->resume(id); }), ErrorCode::Busy);
    jobs_->cancel(id);
    EXPECT_EQ(code_of([&] { jobs_->pause(id); }), ErrorCode::Busy);
    record.open();
    run_until_ended(id);
    EXPECT_EQ(views_.at(id).state, JobState::Cancelled);
    EXPECT_FALSE(engine_.paused_job());
}

TEST_F(PausedJobs, AreNoneWhenThePauseCannotBeRecorded) {
    engine_.on_pause = [] { throw Error(ErrorCode::NoSpace, "full", "Make room."); };
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request("x"));
    ASSERT_TRUE(door_.wait_until_reached());
    jobs_->pause(id);
    run_until_ended(id);
    EXPECT_EQ(views_.at(id).state, JobState::Failed);
    EXPECT_EQ(views_.at(id).error.at("name"), Value(std::string("NoSpace")));
    EXPECT_EQ(jobs_->status().last_error->name, "NoSpace");
    EXPECT_EQ(jobs_->paused(), nullptr);
}

TEST_F(PausedJobs, AreDoneWhenTheWishCameTooLate) {
    engine_.set_verb([this](update::ProgressSink&, const std::stop_token&) { door_.pass(); });
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request("x"));
    ASSERT_TRUE(door_.wait_until_reached());
    jobs_->pause(id);
    door_.open();
    run_until_ended(id);
    EXPECT_EQ(views_.at(id).state, JobState::Done);
    EXPECT_FALSE(engine_.paused_job());
}

TEST_F(PausedJobs, AreUpdatesOnly) {
    start_and_wait_until_idle();
    JobRequest verify;
    verify.kind = JobKind::Verify;
    const std::uint64_t id = jobs_->submit(verify);
    EXPECT_FALSE(jobs_->active()->pausable());
    EXPECT_EQ(code_of([&] { jobs_->pause(id); }), ErrorCode::Unsupported);
    EXPECT_EQ(code_of([&] { jobs_->pause(id + 1); }), ErrorCode::NotFound);
    door_.open();
    run_until_ended(id);
    EXPECT_EQ(views_.at(id).state, JobState::Done);
}

}  // namespace
}  // namespace cfs::service
