// SPDX-License-Identifier: Apache-2.0
#include "service/execute.hpp"

#include "base/bytes.hpp"
#include "base/file_io.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "service/bus.hpp"
#include "service/status_dict.hpp"

#include <exception>
#include <string>
#include <utility>

namespace cfs::service {
namespace {

Dict preview(update::Engine& engine,
             const JobRequest& request,
             update::ProgressSink& progress,
             const std::stop_token& stop) {
    const bool texts = request.content != nullptr;
    const auto result =
        engine.preview_etc({request.deployment, request.path, texts}, progress, stop);
    if (texts) write_all(request.content->get(), as_bytes(result.diff));
    return to_dict(result);
}

update::UpdateOptions update_options(const JobRequest& request) {
    return {request.image,
            request.finalize,
            request.expected_digest,
            request.lock,
            request.downgrade,
            request.kind == JobKind::Switch,
            request.for_anyone};
}

Dict call(update::Engine& engine,
          const JobRequest& request,
          update::ProgressSink& progress,
          const std::stop_token& stop) {
    switch (request.kind) {
        case JobKind::Check:
            return to_dict(engine.check(request.image, progress, stop));
        case JobKind::Update:
        case JobKind::Stage:
        case JobKind::Switch:
            return to_dict(engine.update(update_options(request), progress, stop));
        case JobKind::Finalize:
            return to_dict(engine.finalize(progress, stop));
        case JobKind::Rollback:
            return to_dict(engine.rollback(progress, stop));
        case JobKind::Collect:
            return to_dict(engine.collect(request.dry_run, progress, stop), request.dry_run);
        case JobKind::Pin:
            return to_dict(engine.pin({request.deployment, request.pinned}, progress, stop));
        case JobKind::Remove:
            return to_dict(engine.remove(request.deployment, progress, stop), false);
        case JobKind::Verify:
            return to_dict(
                engine.verify({request.deployment, request.full, request.rate}, progress, stop));
        case JobKind::Repair:
            return to_dict(engine.repair({request.deployment, request.rate}, progress, stop));
        case JobKind::PreviewEtc:
            return preview(engine, request, progress, stop);
        case JobKind::RestoreEtc:
            return to_dict(engine.restore_etc(request.path, progress, stop));
    }
    return {};
}

/// Does its end say something about whether this machine can be updated?
bool is_of_update(JobKind kind) {
    return kind != JobKind::PreviewEtc && kind != JobKind::RestoreEtc && kind != JobKind::Pin &&
           kind != JobKind::Remove;
}

}  // namespace

void Executor::reconcile() noexcept {
    try {
        engine_.reconcile();
        reconciled_ = true;
    } catch (...) {
        const Error error = to_error(std::current_exception());
        log::error(std::string("putting in order what the last run left failed: ") + error.what());
        // Whoever has the lock does it; the next job sees to it.
        if (error.code() != ErrorCode::Busy) remember(&error);
    }
}

Outcome Executor::run(const JobRequest& request,
                      update::ProgressSink& progress,
                      const std::stop_token& stop) noexcept {
    Outcome outcome;
    try {
        check(stop);
        if (!reconciled_) engine_.reconcile();
        reconciled_ = true;
        outcome.result = call(engine_, request, progress, stop);
        bound_lists(outcome.result);
    } catch (...) {
        outcome.error = to_error(std::current_exception());
    }
    // Neither a wish nor a look changes what the last failure was.
    const bool only_looked = request.dry_run || request.kind == JobKind::Verify;
    if (!outcome.error && !only_looked && is_of_update(request.kind)) remember(nullptr);
    if (outcome.error && is_of_update(request.kind) &&
        outcome.error->code() != ErrorCode::Cancelled) {
        remember(&*outcome.error);
    }
    return outcome;
}

void Executor::pause(const JobView& view, const JobRequest& request, Outcome& outcome) noexcept {
    try {
        const update::PausedJob job{
            view.id, view.initiator.uid, update_options(request), request.kind == JobKind::Stage};
        engine_.set_paused_job(&job);
        outcome.paused = true;
    } catch (...) {
        Error error = to_error(std::current_exception());
        error.add_context("the job is not paused but stopped, because that could not be recorded");
        remember(&error);
        outcome.error = error;
    }
}

std::optional<Error> Executor::forget_paused() noexcept {
    try {
        engine_.set_paused_job(nullptr);
        return std::nullopt;
    } catch (...) {
        Error error = to_error(std::current_exception());
        error.add_context("the paused job stays, because that cannot be recorded");
        log::error(error.what());
        remember(&error);
        return error;
    }
}

std::optional<update::PausedJob> Executor::paused() noexcept {
    try {
        return engine_.paused_job();
    } catch (...) {
        log::error(std::string("a paused job cannot be read: ") +
                   to_error(std::current_exception()).what());
        return std::nullopt;
    }
}

std::optional<update::Status> Executor::status() noexcept {
    try {
        return engine_.status();
    } catch (...) {
        log::error(std::string("status: ") + to_error(std::current_exception()).what());
        return std::nullopt;
    }
}

JobId Executor::next_id() noexcept {
    try {
        return engine_.next_job_id();
    } catch (...) {
        return to_error(std::current_exception());
    }
}

void Executor::remember(const Error* error) noexcept {
    try {
        engine_.remember_error(error);
    } catch (...) {
        log::warn(std::string("the last error could not be recorded: ") +
                  to_error(std::current_exception()).what());
    }
}

}  // namespace cfs::service
