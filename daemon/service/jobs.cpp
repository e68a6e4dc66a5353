// SPDX-License-Identifier: Apache-2.0
#include "service/jobs.hpp"

#include "base/log.hpp"
#include "service/status_dict.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace cfs::service {
namespace {

/// One for a job, and one for who submits the next before another is made.
constexpr std::size_t kIds = 2;

JobState final_state(const Outcome& outcome) {
    if (!outcome.error) return JobState::Done;
    return outcome.error->code() == ErrorCode::Cancelled ? JobState::Cancelled : JobState::Failed;
}

void log_end(const JobView& view, const Outcome& outcome) {
    const std::string text = describe(view) + " " + std::string(to_string(view.state));
    if (view.state == JobState::Failed) {
        log::error(text + ": " + outcome.error->what());
    } else {
        log::info(text);
    }
}

/// Anybody at the machine may start an update and pause it, and a pause lasts: so it must not hold
/// up root, and with root the timer.
bool outranks(const Initiator& who, const Initiator& whoever_paused) {
    return who.uid == 0 && whoever_paused.uid != 0;
}

}  // namespace

Jobs::Jobs(boost::asio::io_context& io, update::Engine& engine, Timing timing, Hooks hooks)
    : io_(io),
      timing_(timing),
      hooks_(std::move(hooks)),
      executor_(engine),
      progress_timer_(io),
      expiry_timer_(io),
      no_id_(Error(ErrorCode::Busy, "the daemon is still starting", "Try again.")) {}

Jobs::~Jobs() {
    if (active_) active_->stop.request_stop();
}

void Jobs::start() {
    worker_.post([this] {
        boost::asio::post(io_,
                          [this,
                           status = executor_.status(),
                           id = executor_.next_id(),
                           paused = executor_.paused()] {
                              add_id(id);
                              if (paused) restore(*paused);
                              take_status(status);
                              hooks_.ready();
                          });
        executor_.reconcile();
        boost::asio::post(io_, [this, status = executor_.status()] {
            starting_ = false;
            take_status(status);
        });
    });
}

void Jobs::look_again() {
    worker_.post([this] {
        boost::asio::post(io_, [this, status = executor_.status()] { take_status(status); });
    });
}

std::uint64_t Jobs::submit(const JobRequest& request, const Initiator& initiator) {
    if (stopping_) {
        throw Error(ErrorCode::Cancelled, "the daemon is stopping", "Try again in a moment.");
    }
    if (joins(request)) return active_->view.id;
    if (was_checked_just_now(request, initiator)) return last_check_->id;
    const bool meets_pause = paused_ && is_update(request.kind);
    if (meets_pause && !outranks(initiator, paused_->view.initiator)) {
        throw Error(ErrorCode::Inhibited,
                    describe(paused_->view) + " is paused",
                    "Let it go on with 'cfsctl resume', or give it up with 'cfsctl cancel'.");
    }
    if (active_) {
        throw Error(ErrorCode::Busy,
                    describe(active_->view) + " is running already",
                    "Wait for it, or stop it with 'cfsctl cancel'.");
    }
    if (hooks_.admit) hooks_.admit(request);
    active_.emplace();
    active_->request = request;
    active_->board = std::make_shared<ProgressBoard>(
        update::Initiator{initiator.uid == 0 ? "root" : "user", initiator.uid});
    active_->pausing = std::make_shared<std::atomic<bool>>(false);
    try {
        active_->view.id = take_id();
    } catch (...) {
        active_.reset();
        throw;
    }
    if (meets_pause) cancel_paused();
    active_->view.kind = request.kind;
    active_->view.initiator = initiator;
    log::info(describe(active_->view) + " accepted from user id " + std::to_string(initiator.uid));
    hooks_.added(active_->view);
    hooks_.refresh();
    run_on_worker();
    return active_->view.id;
}

bool Jobs::joins(const JobRequest& request) const {
    const auto goes_on = [](JobState state) {
        return state == JobState::Queued || state == JobState::Running;
    };
    return active_ && goes_on(active_->view.state) && is_joinable(request.kind) &&
           active_->request == request;
}

bool Jobs::was_checked_just_now(const JobRequest& request, const Initiator& initiator) const {
    return initiator.uid != 0 && last_check_ && last_check_->request == request &&
           std::chrono::steady_clock::now() < last_check_->good_until;
}

void Jobs::remember_check(const JobRequest& request, const JobView& view) {
    // Any other job may have changed what a check finds.
    if (request.kind != JobKind::Check) last_check_.reset();
    if (request.kind != JobKind::Check || view.state == JobState::Cancelled) return;
    const auto good =
        view.state == JobState::Done ? timing_.check_again : timing_.check_again_failed;
    last_check_ = LastCheck{request, view.id, std::chrono::steady_clock::now() + good};
}

std::uint64_t Jobs::take_id() {
    if (ids_.empty()) {
        // What was wrong may have passed: have the next attempt find out.
        order_id();
        Error error = no_id_.value_or(Error(ErrorCode::Busy, "no job id is ready", "Try again."));
        error.add_context("the job gets no id");
        throw error;
    }
    const std::uint64_t id = ids_.front();
    ids_.pop_front();
    // There must be one when this job has ended.
    if (ids_.empty()) order_id();
    return id;
}

void Jobs::order_id() {
    worker_.post(
        [this] { boost::asio::post(io_, [this, id = executor_.next_id()] { add_id(id); }); });
}

void Jobs::add_id(const JobId& id) {
    if (const auto* error = std::get_if<Error>(&id)) {
        no_id_ = *error;
        return;
    }
    no_id_.reset();
    ids_.push_back(std::get<std::uint64_t>(id));
}

void Jobs::run_on_worker() {
    worker_.post([this, job = *active_] {
        boost::asio::post(io_, [this] { started(); });
        Outcome outcome = run_task(job);
        boost::asio::post(io_, [this, outcome = std::move(outcome), status = executor_.status()] {
            finished(outcome, status);
            if (ids_.size() < kIds && !stopping_) order_id();
        });
    });
}

void Jobs::started() {
    if (active_->view.state == JobState::Queued) active_->view.state = JobState::Running;
    hooks_.changed(active_->view);
    arm_progress();
}

/// On the job thread.
Outcome Jobs::run_task(const Active& job) {
    if (job.was_paused) {
        if (auto failed = executor_.forget_paused()) return {{}, std::move(failed), true};
    }
    Outcome outcome = executor_.run(job.request, *job.board, job.stop.get_token());
    const bool was_stopped = outcome.error && outcome.error->code() == ErrorCode::Cancelled;
    if (was_stopped && *job.pausing) executor_.pause(job.view, job.request, outcome);
    return outcome;
}

void Jobs::finished(Outcome outcome, std::optional<update::Status> status) {
    progress_timer_.cancel();
    Active job = *std::move(active_);
    active_.reset();
    job.view.progress = job.board->read();
    job.view.rate = 0;
    job.view.eta = 0;
    if (status) status_ = *std::move(status);
    if (outcome.paused) return set_aside(std::move(job));
    job.view.state = final_state(outcome);
    job.view.result = std::move(outcome.result);
    remember_check(job.request, job.view);
    end(std::move(job.view), outcome);
}

void Jobs::end(JobView view, const Outcome& outcome) {
    if (outcome.error) view.error = to_dict(*outcome.error);
    log_end(view, outcome);
    hooks_.changed(view);
    hooks_.refresh();
    hooks_.ended(view);
    keep_for_a_while(view);
}

void Jobs::take_status(std::optional<update::Status> status) {
    if (status) status_ = *std::move(status);
    hooks_.refresh();
}

bool Jobs::has_ended(std::uint64_t id) const {
    return std::any_of(
        ended_.begin(), ended_.end(), [id](const Ended& ended) { return ended.id == id; });
}

Error Jobs::unknown(std::uint64_t id) {
    return {ErrorCode::NotFound,
            "there is no job " + std::to_string(id),
            "The property Jobs lists those there are; 'cfsctl history' has what ended."};
}

void Jobs::cancel(std::uint64_t id) {
    if (paused_ && paused_->view.id == id) return cancel_paused();
    if (!active_ || active_->view.id != id) {
        if (has_ended(id)) return;
        throw unknown(id);
    }
    if (!active_->view.cancellable()) return;
    log::info(describe(active_->view) + " is asked to stop");
    active_->view.state = JobState::Cancelling;
    *active_->pausing = false;
    active_->stop.request_stop();
}

std::string Jobs::state_name() const {
    if (starting_) return "starting";
    if (active_) return std::string(service::state_name(active_->view.kind));
    return paused_ ? "paused" : "idle";
}

void Jobs::shut_down(std::function<void()> done) {
    stopping_ = true;
    // A pause that was asked for comes to be on record.
    if (active_ && active_->view.state != JobState::Pausing) cancel(active_->view.id);
    // Tasks run in order: when this one does, everything before has posted its results.
    worker_.post([this, done = std::move(done)] { boost::asio::post(io_, done); });
}

void Jobs::arm_progress() {
    progress_timer_.expires_after(timing_.progress);
    progress_timer_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed && active_) show_progress();
    });
}

void Jobs::show_progress() {
    JobView& view = active_->view;
    view.progress = active_->board->read();
    active_->meter.note(view.progress, std::chrono::steady_clock::now());
    view.rate = active_->meter.rate();
    view.eta = active_->meter.seconds_left();
    hooks_.changed(view);
    arm_progress();
}

void Jobs::keep_for_a_while(const JobView& view) {
    const std::size_t bytes = bytes_of(view.result) + bytes_of(view.error);
    ended_.push_back({view.id, std::chrono::steady_clock::now() + timing_.keep, bytes});
    ended_bytes_ += bytes;
    const auto too_many = [this] {
        return ended_.size() > timing_.most_kept || ended_bytes_ > timing_.most_kept_bytes;
    };
    while (ended_.size() > 1 && too_many())
        forget_oldest();
    arm_expiry();
}

void Jobs::forget_oldest() {
    const std::uint64_t id = ended_.front().id;
    ended_bytes_ -= ended_.front().bytes;
    ended_.pop_front();
    if (last_check_ && last_check_->id == id) last_check_.reset();
    hooks_.forgotten(id);
}

void Jobs::arm_expiry() {
    if (ended_.empty()) return;
    expiry_timer_.expires_at(ended_.front().until);
    expiry_timer_.async_wait([this](const boost::system::error_code& failed) {
        if (failed) return;
        if (!ended_.empty()) forget_oldest();
        arm_expiry();
    });
}

}  // namespace cfs::service
