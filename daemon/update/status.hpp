// SPDX-License-Identifier: Apache-2.0
/// \file What is installed, what runs, what comes next: plain values for the bus and for `cfsctl
/// status`.
#pragma once

#include "base/error.hpp"
#include "update/history.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cfs::update {

/// How a deployment stands. Names appear in `status --json`: lower case with dashes.
enum class DeploymentState {
    Booted,      ///< the running one
    Staged,      ///< on the ESP under a name that no loader lists; waits for finalize
    Armed,       ///< finalized: the loader's next choice, not booted yet
    Kept,        ///< bootable, not next
    RolledBack,  ///< left by a rollback: bootable by hand, last in the loader's order
    Failed,      ///< its tries were used up and it did not come up; last in the loader's order
    Broken,      ///< something that it needs is missing or damaged; `problem` says what
    Foreign,     ///< another tool's
};

[[nodiscard]] std::string_view to_string(DeploymentState state);

struct DeploymentInfo {
    std::string digest;   ///< of the composefs image, hex; the state directory's name
    std::string version;  ///< from the UKI's os-release
    std::string title;    ///< PRETTY_NAME
    std::string uki;      ///< file name below EFI/Linux; empty when it has none
    DeploymentState state = DeploymentState::Kept;
    std::string image;            ///< reference that it came from
    std::string manifest_digest;  ///< "sha256:..."
    std::int64_t installed = 0;   ///< seconds since the epoch
    bool next = false;            ///< the loader's next choice, by its own rules
    std::string problem;          ///< empty, or what is wrong with it
    bool proven = false;          ///< ran, and its health checks passed
    bool locked = false;          ///< staged, and no shutdown arms it
    bool for_anyone = false;      ///< locked, until whoever may update wants it
    bool pinned = false;          ///< stays, whatever is collected
    bool trial = false;           ///< the loader starts it once; by its order when it is proven
};

/// A newer version that was tried and did not come up: what runs was fallen back to. Kept until a
/// newer one runs.
struct Fallback {
    std::string version;
    std::string digest;  ///< of the composefs image, hex
    std::string stem;    ///< of its entry
    std::string reason;
    std::int64_t time = 0;     ///< seconds since the epoch, of when it was noticed
    std::uint64_t serial = 0;  ///< of its installation
};

/// What is not installed by itself.
struct HeldVersion {
    std::string digest;   ///< of the composefs image, or of a UKI (Authenticode); hex
    std::string version;  ///< empty when nothing that is known has this digest
    std::string reason;   ///< "failed", "rolled-back" or "left"
};

struct Available {
    std::string image;
    std::string version;
    std::string manifest_digest;
    std::string digest;                ///< of the composefs image that its UKI names; hex
    std::uint64_t download_bytes = 0;  ///< exact: blobs to be fetched
    std::uint64_t reused_bytes = 0;    ///< blobs whose layers are here already
    /// What is to be fetched, unpacked: the store takes at most this. Where the image tells.
    std::optional<std::uint64_t> unpacked_bytes;
    std::int64_t checked = 0;  ///< seconds since the epoch
    /// The manifest's own that begin with "org.cfsupdate1.", cut to what a few short ones need.
    std::map<std::string, std::string> annotations = {};
};

/// The last failure, kept until something succeeds; survives a restart of the daemon.
struct LastError {
    std::string name;  ///< "DigestMismatch", ... as in ErrorCode
    std::string message;
    std::string hint;
    std::string details;
    std::int64_t time = 0;  ///< seconds since the epoch
};

/// What only ever counts up on this machine, also across restarts; 0 when it is not known.
struct Counters {
    std::uint64_t fetched = 0;      ///< bytes of blobs, as they came over the wire
    std::uint64_t reused = 0;       ///< bytes of layers that were here
    std::int64_t last_check = 0;    ///< seconds since the epoch: a check or an update ended
    std::int64_t last_success = 0;  ///< the same, and it did not fail
    /// Name of the error, as in LastError -> how many jobs ended with it.
    std::map<std::string, std::uint64_t> failures;
};

struct Status {
    std::optional<DeploymentInfo> booted;
    std::optional<DeploymentInfo> staged;     ///< staged or armed
    std::optional<DeploymentInfo> rollback;   ///< where `rollback` would go
    std::vector<DeploymentInfo> deployments;  ///< newest first, the ones above included
    std::optional<Fallback> fallback;
    std::vector<HeldVersion> held;  ///< by digest
    std::optional<Available> available;
    std::optional<LastError> last_error;
    bool reboot_pending = false;  ///< the loader's next choice is not what runs
    /// Why no soft reboot leads to what is staged; empty: one does, or nothing is.
    std::string soft_reboot_problem;
    std::string image;   ///< where updates come from: as configured, or switched to
    std::string verity;  ///< "enforced", or in words why not
    std::vector<std::string> warnings;
    /// What the last shutdown could not make ready; a warning says it, too.
    std::optional<LastError> finalize_failure;
    std::vector<HistoryEntry> history;  ///< newest first
    Counters counters;
};

}  // namespace cfs::update
