// SPDX-License-Identifier: Apache-2.0
/// \file What a clean shutdown does for the deployment that starts next. A program of its own runs
/// it when nothing writes to /etc any more, without bus and daemon. README.md, "At shutdown".
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "settings/settings.hpp"
#include "update/engine.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::update {

enum class ShutdownOutcome {
    Nothing,  ///< nothing waits for a boot, or what waits shares the running /etc
    Locked,   ///< what is staged waits for a person
    Armed,    ///< what was staged starts next
    Merged,   ///< what was armed has /etc as it is now
};

struct ShutdownResult {
    ShutdownOutcome outcome = ShutdownOutcome::Nothing;
    std::string version;                     ///< of what waits; empty with Nothing
    std::vector<std::string> etc_conflicts;  ///< one line each, with what was done about it
};

/// A staged deployment is finalized unless it is locked; the /etc of an armed one is merged again,
/// so that nothing changed since is missing there. What fails drops that deployment: the running
/// one starts again, with everything in its /etc. Why is kept, durably, and shown by status, by a
/// unit of the next boot and to whoever logs in. Finishes first what a crash left.
/// \param patience how long another process may change deployments or collect
[[nodiscard]] ShutdownResult finalize_at_shutdown(
    const settings::Settings& settings,
    const Clock& clock = system_clock(),
    std::chrono::milliseconds patience = std::chrono::minutes(1));

/// Durable when it returns: for what stands in the way before finalize_at_shutdown() is reached.
/// \param version that was to be made ready, if it is known
void keep_finalize_failure(const settings::Settings& settings,
                           const Error& why,
                           const std::string& version = {},
                           const Clock& clock = system_clock());

/// What the last shutdown could not do; nullopt when it could, or when something newer was made
/// ready since.
[[nodiscard]] std::optional<LastError> last_finalize_failure(const settings::Settings& settings);

/// For people, as one line with what to do.
[[nodiscard]] std::string describe_finalize_failure(const LastError& failure);

}  // namespace cfs::update
