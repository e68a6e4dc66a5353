// SPDX-License-Identifier: Apache-2.0
// The job table on a main loop, without a bus.
#include "job_table.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <thread>

namespace cfs::service {
namespace {

using namespace std::chrono_literals;

TEST_F(JobTable, TellsTheEngineWhoWantsAJob) {
    update::Initiator seen;
    engine_.set_verb([&](auto& progress, const auto&) { seen = progress.initiator(); });
    start_and_wait_until_idle();
    run_until_ended(jobs_->submit(update_request(), {1000, ":1.2"}));
    EXPECT_EQ(seen, (update::Initiator{"user", 1000}));
}

TEST_F(JobTable, IsReadyWithTheStatusBeforeReconcilingEnds) {
    engine_.on_reconcile = [&] { door_.pass(); };
    update::Status status;
    status.verity = "enforced";
    engine_.set_status(status);
    start();
    run_until([this] { return ready_; });
    EXPECT_EQ(jobs_->status().verity, "enforced");
    EXPECT_EQ(jobs_->state_name(), "starting");
    door_.open();
    run_until([this] { return jobs_->state_name() == "idle"; });
}

TEST_F(JobTable, AJobThatComesWhileReconcilingWaits) {
    engine_.on_reconcile = [&] { door_.pass(); };
    start();
    run_until([this] { return ready_; });
    const std::uint64_t id = jobs_->submit(update_request());
    EXPECT_EQ(jobs_->active()->state, JobState::Queued);
    door_.open();
    run_until_ended(id);
    EXPECT_EQ(engine_.calls(),
              (std::vector<std::string>{"reconcile", "update image= finalize=1 digest="}));
}

TEST_F(JobTable, AJobGoesFromAcceptedToDone) {
    engine_.update_result.outcome = update::UpdateOutcome::Finalized;
    engine_.set_verb([](update::ProgressSink& progress, const std::stop_token&) {
        progress.stage("fetch");
        progress.bytes(1, 2, 3);
        progress.message("layer 1");
    });
    start_and_wait_until_idle();
    const std::size_t before = events_.size();
    const std::uint64_t id = jobs_->submit(update_request());
    run_until_ended(id);
    const std::string n = std::to_string(id);
    EXPECT_EQ(std::vector<std::string>(events_.begin() + static_cast<std::ptrdiff_t>(before),
                                       events_.end()),
              (std::vector<std::string>{"added " + n + " queued",
                                        "refresh updating",
                                        "changed " + n + " running",
                                        "changed " + n + " done",
                                        "refresh idle",
                                        "ended " + n + " done"}));
    EXPECT_EQ(views_[id].progress, (Progress{"fetch", 1, 2, 3, "layer 1"}));
    EXPECT_EQ(views_[id].result.at("outcome"), Value(std::string("finalized")));
    EXPECT_TRUE(views_[id].error.empty());
}

TEST_F(JobTable, AFailureIsShownAndRemembered) {
    engine_.set_verb([](update::ProgressSink&, const std::stop_token&) {
        throw Error(ErrorCode::DigestMismatch, "not these bytes", "fetch again");
    });
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request());
    run_until_ended(id);
    EXPECT_EQ(views_[id].state, JobState::Failed);
    EXPECT_EQ(views_[id].error.at("name"), Value(std::string("DigestMismatch")));
    EXPECT_TRUE(views_[id].result.empty());
    ASSERT_TRUE(jobs_->status().last_error);
    EXPECT_EQ(jobs_->status().last_error->name, "DigestMismatch");

    engine_.set_verb([](update::ProgressSink&, const std::stop_token&) {});
    JobRequest look;
    look.kind = JobKind::Collect;
    look.dry_run = true;
    run_until_ended(jobs_->submit(look));
    EXPECT_TRUE(jobs_->status().last_error) << "a look forgets nothing";
    look = {};
    look.kind = JobKind::Verify;
    run_until_ended(jobs_->submit(look));
    EXPECT_TRUE(jobs_->status().last_error) << "nor does a verification";
    run_until_ended(jobs_->submit(update_request()));
    EXPECT_FALSE(jobs_->status().last_error);
}

TEST_F(JobTable, AForeignExceptionIsAnInternalErrorOfTheJob) {
    engine_.set_verb([](update::ProgressSink&, const std::stop_token&) { throw std::bad_alloc(); });
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request());
    run_until_ended(id);
    EXPECT_EQ(views_[id].error.at("name"), Value(std::string("Internal")));
}

TEST_F(JobTable, ASecondIdenticalRequestJoins) {
    engine_.set_verb(
        [this](update::ProgressSink&, const std::stop_token& stop) { door_.pass(stop); });
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request("x"));
    EXPECT_EQ(jobs_->submit(update_request("x")), id);
    try {
        jobs_->submit(update_request("y"));
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::Busy);
        EXPECT_EQ(e.what(), "job " + std::to_string(id) + " (update) is running already");
    }
    door_.open();
    run_until_ended(id);
}

// Anybody may check; nobody makes us knock at a registry without end.
TEST_F(JobTable, ACheckOfOthersIsAnsweredWithTheLastOneForAWhile) {
    Jobs::Timing timing;
    timing.check_again = 300ms;
    timing.check_again_failed = 0ms;
    start(timing);
    run_until([this] { return jobs_->state_name() == "idle"; });
    const Initiator user{1000, ":1.7"};
    const JobRequest look;
    const std::uint64_t first = jobs_->submit(look, user);
    EXPECT_EQ(views_.at(first).initiator.uid, 1000U);
    run_until_ended(first);
    EXPECT_EQ(jobs_->submit(look, user), first);
    EXPECT_EQ(jobs_->submit(look, {1001, ":1.8"}), first) << "whoever asks";
    JobRequest other;
    other.image = "oci:/other";
    const std::uint64_t second = jobs_->submit(other, user);
    EXPECT_NE(second, first) << "another image is another question";
    run_until_ended(second);
    const std::uint64_t of_root = jobs_->submit(look);
    EXPECT_NE(of_root, first) << "root is not held up";
    run_until_ended(of_root);
    boost::asio::steady_timer past(io_, 350ms);
    bool over = false;
    past.async_wait([&over](const boost::system::error_code&) { over = true; });
    run_until([&over] { return over; });
    engine_.set_verb([](update::ProgressSink&, const std::stop_token&) {
        throw Error(ErrorCode::Network, "no route");
    });
    const std::uint64_t failed = jobs_->submit(look, user);
    EXPECT_NE(failed, of_root);
    run_until_ended(failed);
    const std::uint64_t again = jobs_->submit(look, user);
    EXPECT_NE(again, failed) << "what failed may be tried again sooner";
    run_until_ended(again);
}

// Two signals' worth of progress make a rate, and the end has none.
TEST_F(JobTable, ShowsHowFastBytesComeAndWhenTheyWillBeThere) {
    Jobs::Timing timing;
    timing.progress = 20ms;
    engine_.set_verb([this](update::ProgressSink& progress, const std::stop_token& stop) {
        progress.stage("fetch");
        for (std::uint64_t done = 0; done < 130; ++done) {
            progress.bytes(done * 1000, 1'000'000, 0);
            std::this_thread::sleep_for(10ms);
        }
        door_.pass(stop);
    });
    start(timing);
    run_until([this] { return jobs_->state_name() == "idle"; });
    const std::uint64_t id = jobs_->submit(update_request());
    std::uint64_t rate = 0;
    std::uint64_t eta = 0;
    run_until([&] {
        if (views_.contains(id) && views_.at(id).rate != 0) {
            rate = views_.at(id).rate;
            eta = views_.at(id).eta;
        }
        return rate != 0;
    });
    // A kilobyte every ten milliseconds, or more slowly where others work too.
    EXPECT_GT(rate, 1000U);
    EXPECT_LT(rate, 110'000U);
    EXPECT_GE(eta, 8U);
    door_.open();
    run_until_ended(id);
    EXPECT_EQ(views_.at(id).rate, 0U);
    EXPECT_EQ(views_.at(id).eta, 0U);
}

TEST_F(JobTable, RollingBackTwiceIsNotTheSameAsOnce) {
    engine_.set_verb(
        [this](update::ProgressSink&, const std::stop_token& stop) { door_.pass(stop); });
    start_and_wait_until_idle();
    JobRequest request;
    request.kind = JobKind::Rollback;
    const std::uint64_t id = jobs_->submit(request);
    EXPECT_THROW(jobs_->submit(request), Error);
    door_.open();
    run_until_ended(id);
}

TEST_F(JobTable, ACancelledJobKeepsTheLastError) {
    update::Status status;
    status.last_error = update::LastError{"Network", "m", "h", "", 1};
    engine_.set_status(status);
    engine_.set_verb(
        [this](update::ProgressSink&, const std::stop_token& stop) { door_.pass(stop); });
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request());
    run_until([&] { return jobs_->active()->state == JobState::Running; });
    ASSERT_TRUE(door_.wait_until_reached());
    jobs_->cancel(id);
    EXPECT_EQ(jobs_->active()->state, JobState::Cancelling);
    EXPECT_THROW(jobs_->submit(update_request()), Error) << "nobody joins what is being stopped";
    run_until_ended(id);
    EXPECT_EQ(views_[id].state, JobState::Cancelled);
    EXPECT_EQ(views_[id].error.at("name"), Value(std::string("Cancelled")));
    EXPECT_EQ(jobs_->status().last_error->name, "Network");
    jobs_->cancel(id);
    EXPECT_THROW(jobs_->cancel(id + 1), Error);
}

TEST_F(JobTable, AQueuedJobCanBeCancelledBeforeItRuns) {
    engine_.on_reconcile = [&] { door_.pass(); };
    start();
    run_until([this] { return ready_; });
    const std::uint64_t id = jobs_->submit(update_request());
    jobs_->cancel(id);
    door_.open();
    run_until_ended(id);
    EXPECT_EQ(views_[id].state, JobState::Cancelled);
    EXPECT_EQ(engine_.calls(), std::vector<std::string>{"reconcile"});
}

TEST_F(JobTable, ReconcilingThatFailedIsTriedAgainBeforeAJob) {
    int attempts = 0;
    engine_.on_reconcile = [&] {
        if (++attempts < 3) throw Error(ErrorCode::StateCorrupt, "record 7");
    };
    start_and_wait_until_idle();
    EXPECT_EQ(jobs_->status().last_error->name, "StateCorrupt");
    const std::uint64_t first = jobs_->submit(update_request());
    run_until_ended(first);
    EXPECT_EQ(views_[first].state, JobState::Failed);
    const std::uint64_t second = jobs_->submit(update_request());
    run_until_ended(second);
    EXPECT_EQ(views_[second].state, JobState::Done);
    EXPECT_EQ(attempts, 3);
}

TEST_F(JobTable, WithoutAnIdThereIsNoJobUntilOneCanBeMade) {
    int attempts = 0;
    engine_.on_id = [&](std::uint64_t id) {
        if (++attempts == 1) throw Error(ErrorCode::Io, "state is read-only");
        return id;
    };
    start_and_wait_until_idle();
    try {
        jobs_->submit(update_request());
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::Io);
    }
    EXPECT_EQ(jobs_->active(), nullptr);
    ASSERT_GT(io_.run_one_for(10s), 0U);
    run_until_ended(jobs_->submit(update_request()));
}

TEST_F(JobTable, AnEndDoesNotWaitForTheNextJobsId) {
    start_and_wait_until_idle();
    run_until_ended(jobs_->submit(update_request()));
    run_until_ended(jobs_->submit(update_request()));  // by now there is one in reserve
    std::atomic<bool> slow = true;
    std::atomic<bool> made = false;
    const auto at_most = std::chrono::steady_clock::now() + 5s;
    engine_.on_id = [&](std::uint64_t id) {
        while (slow && std::chrono::steady_clock::now() < at_most)
            std::this_thread::sleep_for(1ms);
        made = true;
        return id;
    };
    run_until_ended(jobs_->submit(update_request()));
    EXPECT_FALSE(made);
    // And who is quick finds an id all the same.
    const std::uint64_t next = jobs_->submit(update_request());
    slow = false;
    run_until_ended(next);
    EXPECT_EQ(views_[next].state, JobState::Done);
}

TEST_F(JobTable, EveryJobHasAnIdOfItsOwn) {
    start_and_wait_until_idle();
    std::uint64_t last = 0;
    for (int i = 0; i < 20; ++i) {
        const std::uint64_t id = jobs_->submit(update_request());
        EXPECT_GT(id, last);
        last = id;
        run_until_ended(id);
    }
}

TEST_F(JobTable, ManyStepsOfProgressBecomeFewSignals) {
    constexpr auto kPause = 30ms;
    constexpr std::ptrdiff_t kSignals = 5;  // that it runs, and four of progress
    std::atomic<bool> enough = false;
    std::atomic<std::uint64_t> steps = 0;
    engine_.set_verb([&](update::ProgressSink& progress, const std::stop_token& stop) {
        while (!enough && !stop.stop_requested()) {
            ++steps;
            progress.bytes(steps, steps, 0);
        }
    });
    start(Jobs::Timing{kPause, 60s, 64});
    run_until([this] { return jobs_->state_name() == "idle"; });
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t id = jobs_->submit(update_request());
    run_until([&] {
        return std::count_if(events_.begin(), events_.end(), [](const auto& event) {
                   return event.starts_with("changed");
               }) >= kSignals;
    });
    EXPECT_GE(std::chrono::steady_clock::now() - begin, (kSignals - 2) * kPause);
    EXPECT_GT(steps, 100U);
    enough = true;
    run_until_ended(id);
}

TEST_F(JobTable, EndedJobsAreForgottenAfterAWhile) {
    start(Jobs::Timing{250ms, 20ms, 64});
    run_until([this] { return jobs_->state_name() == "idle"; });
    const std::uint64_t id = jobs_->submit(update_request());
    run_until_ended(id);
    run_until([&] { return seen("forgotten " + std::to_string(id)); });
    EXPECT_THROW(jobs_->cancel(id), Error);
}

TEST_F(JobTable, OnlySoManyEndedJobsAreKept) {
    start(Jobs::Timing{250ms, 60s, 2});
    run_until([this] { return jobs_->state_name() == "idle"; });
    const std::uint64_t first = jobs_->submit(update_request());
    run_until_ended(first);
    for (int i = 0; i < 2; ++i)
        run_until_ended(jobs_->submit(update_request()));
    EXPECT_TRUE(seen("forgotten " + std::to_string(first)));
}

TEST_F(JobTable, OnlySoManyBytesOfResultsAreKeptButTheLastAlways) {
    Jobs::Timing timing;
    timing.most_kept_bytes = 25'000;
    start(timing);
    run_until([this] { return jobs_->state_name() == "idle"; });
    const auto collect = [this](std::size_t lines) {
        engine_.collect_result.items.assign(lines, std::string(92, 'x'));
        JobRequest request;
        request.kind = JobKind::Collect;
        const std::uint64_t id = jobs_->submit(request);
        run_until_ended(id);
        return id;
    };
    const std::uint64_t first = collect(100);
    const std::uint64_t second = collect(100);
    EXPECT_FALSE(seen("forgotten " + std::to_string(first)));
    const std::uint64_t third = collect(100);
    EXPECT_TRUE(seen("forgotten " + std::to_string(first)));
    const std::uint64_t big = collect(1000);
    EXPECT_TRUE(seen("forgotten " + std::to_string(second)));
    EXPECT_TRUE(seen("forgotten " + std::to_string(third)));
    EXPECT_FALSE(seen("forgotten " + std::to_string(big))) << "somebody wants to read it";
}

TEST_F(JobTable, ShuttingDownCancelsWaitsAndTakesNoMore) {
    engine_.set_verb(
        [this](update::ProgressSink&, const std::stop_token& stop) { door_.pass(stop); });
    start_and_wait_until_idle();
    const std::uint64_t id = jobs_->submit(update_request());
    ASSERT_TRUE(door_.wait_until_reached());
    bool done = false;
    jobs_->shut_down([&] {
        done = true;
        EXPECT_EQ(views_[id].state, JobState::Cancelled) << "the end comes after the job's end";
    });
    EXPECT_THROW(jobs_->submit(update_request("other")), Error);
    run_until([&] { return done; });
}

}  // namespace
}  // namespace cfs::service
