// SPDX-License-Identifier: Apache-2.0
// The job that is stopped and waits to go on.
#include "base/log.hpp"
#include "service/jobs.hpp"
#include "service/status_dict.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace cfs::service {
namespace {

JobKind kind_of(const update::PausedJob& job) {
    if (job.options.switching) return JobKind::Switch;
    return job.only_stages ? JobKind::Stage : JobKind::Update;
}

JobRequest request_of(const update::PausedJob& job) {
    const update::UpdateOptions& options = job.options;
    JobRequest request;
    request.kind = kind_of(job);
    request.image = options.image;
    request.finalize = options.finalize;
    request.expected_digest = options.expected_digest;
    request.lock = options.locked;
    request.for_anyone = options.for_anyone;
    request.downgrade = options.downgrade;
    return request;
}

}  // namespace

void Jobs::pause(std::uint64_t id) {
    if (paused_ && paused_->view.id == id) return;
    if (!active_ || active_->view.id != id) {
        if (!has_ended(id)) throw unknown(id);
        throw Error(ErrorCode::NotFound,
                    "job " + std::to_string(id) + " has ended",
                    "Its property Error or Result says how; there is nothing to pause.");
    }
    JobView& view = active_->view;
    if (!is_pausable(view.kind)) {
        throw Error(ErrorCode::Unsupported,
                    describe(view) + " cannot be paused: it would have to begin anew",
                    "Stop it with 'cfsctl cancel' and start it again later.");
    }
    if (view.state == JobState::Pausing) return;
    if (view.state == JobState::Cancelling) {
        throw Error(ErrorCode::Busy,
                    describe(view) + " is being cancelled",
                    "Start it again later: what was fetched is not fetched twice.");
    }
    log::info(describe(view) + " is asked to pause");
    view.state = JobState::Pausing;
    *active_->pausing = true;
    active_->stop.request_stop();
}

void Jobs::set_aside(Active job) {
    const bool give_up = job.view.state == JobState::Cancelling;
    job.view.state = JobState::Paused;
    // One that could not be given up is on record no more: this one took its place.
    if (paused_) give_up_paused(std::nullopt);
    paused_ = Paused{std::move(job.request), std::move(job.view)};
    log::info(describe(paused_->view) + " is paused");
    hooks_.changed(paused_->view);
    hooks_.refresh();
    // Somebody cancelled it just when the pause was put on record.
    if (give_up) cancel_paused();
}

void Jobs::restore(const update::PausedJob& job) {
    JobView view;
    view.id = job.id;
    view.kind = kind_of(job);
    view.initiator.uid = job.user;
    view.state = JobState::Paused;
    paused_ = Paused{request_of(job), std::move(view)};
    log::info(describe(paused_->view) + " is paused since before this start");
    hooks_.added(paused_->view);
}

void Jobs::resume(std::uint64_t id) {
    if (active_ && active_->view.id == id) {
        if (active_->view.pausable()) return;
        throw Error(ErrorCode::Busy,
                    describe(active_->view) + " is " + std::string(to_string(active_->view.state)),
                    "Try again in a moment.");
    }
    if (!paused_ || paused_->view.id != id) throw unknown(id);
    if (paused_->view.state != JobState::Paused) {
        throw Error(ErrorCode::Busy,
                    describe(paused_->view) + " is being given up",
                    "'cfsctl update' starts another.");
    }
    if (stopping_ || active_) {
        throw Error(ErrorCode::Busy,
                    stopping_ ? "the daemon is stopping" : describe(active_->view) + " is running",
                    "Try again when it has ended.");
    }
    active_.emplace();
    active_->request = std::move(paused_->request);
    active_->view = std::move(paused_->view);
    active_->view.state = JobState::Queued;
    active_->board = std::make_shared<ProgressBoard>();
    active_->pausing = std::make_shared<std::atomic<bool>>(false);
    active_->was_paused = true;
    paused_.reset();
    log::info(describe(active_->view) + " goes on");
    hooks_.changed(active_->view);
    hooks_.refresh();
    run_on_worker();
}

void Jobs::cancel_paused() {
    if (paused_->view.state == JobState::Cancelling) return;
    log::info(describe(paused_->view) + " is given up");
    paused_->view.state = JobState::Cancelling;
    hooks_.changed(paused_->view);
    worker_.post([this] {
        boost::asio::post(io_,
                          [this, failed = executor_.forget_paused()] { give_up_paused(failed); });
    });
}

void Jobs::give_up_paused(const std::optional<Error>& failed) {
    if (failed) {
        paused_->view.state = JobState::Paused;
        hooks_.changed(paused_->view);
        return;
    }
    JobView view = std::move(paused_->view);
    paused_.reset();
    view.state = JobState::Cancelled;
    Outcome outcome;
    outcome.error = Error(ErrorCode::Cancelled, "cancelled while it was paused");
    end(std::move(view), outcome);
}

}  // namespace cfs::service
