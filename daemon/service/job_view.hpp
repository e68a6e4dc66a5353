// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bus/initiator.hpp"
#include "service/progress_board.hpp"
#include "service/request.hpp"
#include "service/value.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::service {

enum class JobState { Queued, Running, Pausing, Paused, Cancelling, Done, Failed, Cancelled };

/// "queued", "running", ...
[[nodiscard]] std::string_view to_string(JobState state);

using bus::Initiator;

/// What a job's object shows; a value.
struct JobView {
    std::uint64_t id = 0;
    JobKind kind = JobKind::Check;
    Initiator initiator;
    JobState state = JobState::Queued;
    Progress progress;
    std::uint64_t rate = 0;  ///< bytes per second; 0: not known
    std::uint64_t eta = 0;   ///< seconds; 0: not known
    Dict error;
    Dict result;

    [[nodiscard]] bool cancellable() const {
        return state == JobState::Queued || state == JobState::Running ||
               state == JobState::Pausing || state == JobState::Paused;
    }

    [[nodiscard]] bool pausable() const {
        return is_pausable(kind) && (state == JobState::Queued || state == JobState::Running);
    }
};

/// "job 7 (update)"
[[nodiscard]] std::string describe(const JobView& view);

/// "/org/cfsupdate1/job/7"
[[nodiscard]] std::string job_path(std::uint64_t id);

/// Names of the bus properties that differ.
[[nodiscard]] std::vector<std::string> changed_names(const JobView& before, const JobView& after);

}  // namespace cfs::service
