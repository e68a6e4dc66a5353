// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::service {

enum class JobKind {
    Check,
    Update,
    Stage,
    Switch,
    Finalize,
    Rollback,
    Collect,
    Pin,
    Remove,
    Verify,
    Repair,
    PreviewEtc,
    RestoreEtc
};

/// "check", "update", ...: a job's Kind on the bus.
[[nodiscard]] std::string_view to_string(JobKind kind);

/// "checking", "updating", ...: the Manager's State while such a job runs.
[[nodiscard]] std::string_view state_name(JobKind kind);

/// What a caller asked for; members that its kind does not use keep their defaults.
struct JobRequest {
    JobKind kind = JobKind::Check;
    std::string image;  ///< Check, Update, Stage; empty: the configured one. Switch needs one
    bool finalize = true;
    std::string expected_digest;
    bool dry_run = false;
    bool lock = false;        ///< of an update: staged, and no shutdown finalizes it
    bool for_anyone = false;  ///< with lock: an update by whoever sits at the machine ends that
    bool ignore_inhibitors = false;  ///< of an update
    bool downgrade = false;          ///< Update, Stage: a lower version, too
    /// Verify, Repair; empty: all; PreviewEtc; empty: what is staged; Pin and Remove need one.
    std::string deployment = {};
    bool full = false;  ///< Verify
    /// Verify, Repair: bytes per second; unset: the setting store.verify_rate
    std::optional<std::uint64_t> rate = {};
    bool pinned = true;     ///< Pin
    std::string path = {};  ///< PreviewEtc, RestoreEtc: below /etc
    /// PreviewEtc: a regular file that the diffs go to. Never into a property: those are
    /// everybody's.
    std::shared_ptr<UniqueFd> content = {};
    bool automatic = false;  ///< Update: nobody asked for it; policy decides what it does and when
    /// Update, Stage: whose wish it is that root brings here; the job is that user's.
    std::optional<std::uint32_t> user = {};

    bool operator==(const JobRequest&) const = default;
};

/// Update, Stage and Switch: what brings another version.
[[nodiscard]] bool is_update(JobKind kind);

/// What a caller of Inhibit gave.
struct InhibitWish {
    std::string what = "update";  ///< "update", "check", "check:update"
    std::string who = {};
    std::string why = {};
};

/// May a second, identical request be answered with the job that runs for the first? Not where
/// doing it twice means something else than doing it once.
[[nodiscard]] bool is_joinable(JobKind kind);

/// Does doing it again, after it was stopped, go on where it was? Only an update keeps what it has
/// got; the others would begin anew, which is no pause.
[[nodiscard]] bool is_pausable(JobKind kind);

}  // namespace cfs::service
