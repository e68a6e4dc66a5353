// SPDX-License-Identifier: Apache-2.0
/// \file The job thread's side of a job: the engine is called here and nowhere else.
#pragma once

#include "service/job_view.hpp"
#include "service/request.hpp"
#include "service/value.hpp"
#include "update/engine.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <variant>

namespace cfs::service {

/// What the main thread gets back; all values.
struct Outcome {
    Dict result;
    std::optional<Error> error;
    bool paused = false;  ///< stopped, and it is on record that it goes on later
};

/// An id that no job had before, or why there is none.
using JobId = std::variant<Error, std::uint64_t>;

/// Owned by Jobs, used on the job thread only. Nothing here throws.
class Executor {
 public:
    explicit Executor(update::Engine& engine) : engine_(engine) {}

    /// Puts in order what the last run left. Jobs do it again first when it failed.
    void reconcile() noexcept;

    [[nodiscard]] Outcome run(const JobRequest& request,
                              update::ProgressSink& progress,
                              const std::stop_token& stop) noexcept;

    /// After run() ended in Cancelled because of a pause: puts it on record. When that fails the
    /// pause would not outlive us, so that the job ends with this failure.
    void pause(const JobView& view, const JobRequest& request, Outcome& outcome) noexcept;

    /// Before a paused job goes on or is given up: it is none any more. \returns what was in the
    /// way
    [[nodiscard]] std::optional<Error> forget_paused() noexcept;

    /// What was paused before the last restart.
    [[nodiscard]] std::optional<update::PausedJob> paused() noexcept;

    /// nullopt: could not be made; the log says why.
    [[nodiscard]] std::optional<update::Status> status() noexcept;

    [[nodiscard]] JobId next_id() noexcept;

 private:
    void remember(const Error* error) noexcept;

    update::Engine& engine_;
    bool reconciled_ = false;
};

}  // namespace cfs::service
