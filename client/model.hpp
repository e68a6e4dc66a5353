// SPDX-License-Identifier: Apache-2.0
/// \file What the bus says, as plain values. Words (states, outcomes) stay text: a newer daemon may
/// use one that this client does not know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cfs::client {

/// Keys and meaning: dbus/org.cfsupdate1.Manager.xml.
struct Deployment {
    std::string digest;
    std::string version;
    std::string title;
    std::string uki;
    std::string state;
    std::string image;
    std::string manifest_digest;
    std::int64_t installed = 0;
    bool next = false;
    std::string problem;
    bool proven = false;
    bool locked = false;      ///< staged, and no shutdown finalizes it
    bool for_anyone = false;  ///< locked, until whoever may update wants it
    bool pinned = false;
    bool trial = false;  ///< the loader starts it once; by its order when it is proven
};

struct Fallback {
    std::string version;
    std::string digest;
    std::string stem;
    std::string reason;
    std::int64_t time = 0;
};

struct HeldVersion {
    std::string digest;
    std::string version;  ///< may be empty
    std::string reason;
};

struct Available {
    std::string image;
    std::string version;
    std::string manifest_digest;
    std::string digest;
    std::uint64_t download_bytes = 0;
    std::uint64_t reused_bytes = 0;
    std::optional<std::uint64_t> unpacked_bytes;
    std::int64_t checked = 0;
    std::string changelog_url = {};  ///< empty: the image names none
    std::string appstream_url = {};  ///< the same
};

struct Failure {
    std::string name;  ///< "DigestMismatch", without the bus prefix
    std::string message;
    std::string hint;
    std::string details;
    std::int64_t time = 0;
};

/// Why an update would not begin now.
struct Blocker {
    std::string kind;  ///< "paused", "inhibited", "metered", ...
    std::string text;
};

struct Status {
    std::string daemon_version;
    std::string state;
    std::string image;
    std::optional<Deployment> booted;
    std::optional<Deployment> staged;
    std::optional<Deployment> rollback;
    std::vector<Deployment> deployments;
    std::optional<Fallback> fallback;
    std::vector<HeldVersion> held;
    std::optional<Available> available;
    std::optional<Failure> last_error;
    bool reboot_pending = false;
    /// Why what is staged needs a reboot; empty: a soft one does; unset by an older daemon.
    std::optional<std::string> soft_reboot_problem;
    std::string verity;
    std::vector<std::string> warnings;
    std::vector<Blocker> blockers;
};

/// What `cfsctl pending` says.
struct PendingOutcome {
    bool pending = false;              ///< the next start brings another version than what runs
    std::optional<Deployment> next;    ///< that one, where it is one of ours
    std::optional<Deployment> booted;  ///< what runs
    std::optional<Deployment> locked;  ///< staged, and no start brings it
};

[[nodiscard]] PendingOutcome find_pending(const Status& status);

/// What `cfsctl report` wrote.
struct ReportOutcome {
    struct Part {
        std::string name;
        std::uint64_t bytes = 0;
        std::string problem;  ///< empty, or why it is not all of it
    };

    std::string file;
    std::vector<Part> parts;
};

/// One end of a change; empty where there was none, or it is not known.
struct HistoryVersion {
    std::string version;
    std::string digest;
};

struct HistoryEntry {
    std::string kind;
    std::string result;
    std::int64_t time = 0;
    std::int64_t first = 0;
    std::uint64_t times = 1;
    HistoryVersion from;
    HistoryVersion to;
    std::string error;
    std::string message;
    std::uint64_t fetched_bytes = 0;
    std::uint64_t reused_bytes = 0;
    std::uint64_t duration_ms = 0;
    std::string initiator;
    std::uint64_t uid = 0;  ///< of a "user"
};

struct CheckOutcome {
    bool update_available = false;
    Available available;
};

struct UpdateOutcome {
    std::string outcome;  ///< "nothing-to-do", "staged", "finalized"
    Deployment deployment;
    std::uint64_t fetched_bytes = 0;
    std::uint64_t reused_bytes = 0;
    std::vector<std::string> etc_changes;
    std::vector<std::string> etc_conflicts;
};

struct CollectOutcome {
    bool dry_run = false;
    std::vector<std::string> deployments;
    std::vector<std::string> items;
    std::uint64_t items_omitted = 0;
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> warnings;
};

struct PinOutcome {
    bool changed = false;
    Deployment deployment;
};

struct VerifyOutcome {
    bool full = false;
    bool sound = true;  ///< of a repair: there was nothing to be done
    std::vector<std::string> deployments;
    std::uint64_t objects = 0;
    std::uint64_t streams = 0;
    std::uint64_t bytes = 0;
    std::uint64_t missing = 0;
    std::uint64_t damaged = 0;
    std::uint64_t unvouched = 0;
    std::vector<std::string> items;
    std::uint64_t items_omitted = 0;
    std::vector<std::string> warnings;
};

struct RepairOutcome {
    VerifyOutcome found;
    std::uint64_t repaired = 0;
    std::uint64_t layers = 0;
    std::uint64_t fetched_bytes = 0;
};

struct EtcChange {
    std::string path;  ///< below /etc
    std::string kind;
    std::string detail;
    std::string lost;  ///< "vendor", "local" or ""
};

struct EtcConflict {
    std::string path;
    std::string kind;
    std::string what;
    std::string resolution;
    std::string hint;
};

struct EtcPreview {
    std::string deployment;
    bool local_only = false;
    std::vector<EtcChange> changes;
    std::vector<EtcConflict> conflicts;
    std::uint64_t omitted = 0;
    std::optional<std::string> diff;  ///< not from the bus: from the file that was passed
};

struct EtcRestored {
    bool restored = false;
    std::string path;
    std::string was;
};

struct JobState {
    std::uint64_t id = 0;
    std::string kind;
    std::string state;  ///< "queued", "running", "pausing", "paused", "cancelling", "done", ...
    std::string stage;
    std::string message;
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0;
    std::uint64_t bytes_reused = 0;
    std::uint64_t rate = 0;                      ///< bytes per second; 0: not known
    std::uint64_t eta = 0;                       ///< seconds; 0: not known
    std::optional<std::uint32_t> initiator_uid;  ///< an older daemon does not say

    [[nodiscard]] bool ended() const {
        return state == "done" || state == "failed" || state == "cancelled";
    }
};

}  // namespace cfs::client
