// SPDX-License-Identifier: Apache-2.0
/// \file The update itself, as blocking calls that know no bus.
///
/// One job thread calls the verbs, one at a time; `status()` may be called from any thread
/// meanwhile. Every verb leaves "old" or "new" behind, whenever the process dies (daemon/README.md,
/// "Crash safety"), throws Error, and stops soon after its stop token fires (Cancelled). The
/// interface is virtual so that the bus can be tested against a fake.
#pragma once

#include "base/clock.hpp"
#include "etc/merge.hpp"
#include "settings/settings.hpp"
#include "update/status.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::update {

/// Hears what a verb does. Called on the job thread, often; must be quick and must not throw.
class ProgressSink {
 public:
    ProgressSink() = default;
    ProgressSink(const ProgressSink&) = delete;
    ProgressSink& operator=(const ProgressSink&) = delete;
    virtual ~ProgressSink() = default;

    /// "check", "gate", "fetch", "compose", "verify", "stage", "finalize", "collect", "rollback".
    virtual void stage(std::string_view name) = 0;

    /// Bytes of blobs; of a verification: bytes read. `reused` belongs to layers that were here
    /// already and is not part of `total`.
    virtual void bytes(std::uint64_t done, std::uint64_t total, std::uint64_t reused) = 0;

    /// One line for a person: which layer is fetched, which conflict was found.
    virtual void message(std::string_view text) = 0;

    /// Who wants it, for the history.
    [[nodiscard]] virtual Initiator initiator() const { return {}; }
};

struct CheckResult {
    bool update_available = false;
    Available available;  ///< what the reference names now, new or not
};

struct UpdateOptions {
    std::string image;            ///< empty: the configured one; else for this update only
    bool finalize = true;         ///< false: stage only; the next clean shutdown finalizes
    std::string expected_digest;  ///< manifest ("sha256:...") or image digest (hex) that must be
                                  ///< what arrives
    bool locked = false;          ///< staged only, and no shutdown finalizes it: finalize() does
    bool downgrade = false;       ///< a version lower than the running one may come, too
    /// `image` is where updates come from from now on: another product or a lower version, too. A
    /// rollback goes back to where they came from before.
    bool switching = false;
    /// With `locked`: nobody wants it kept from booting, it waits for somebody. An update by
    /// whoever may ask for one ends that.
    bool for_anyone = false;
};

/// An update that was stopped in the middle and waits to be told to go on. It is nothing but the
/// wish for it: what was fetched lies where every stopped update leaves it.
struct PausedJob {
    std::uint64_t id = 0;
    std::uint32_t user = 0;  ///< who started it
    UpdateOptions options;
    bool only_stages = false;  ///< asked for as a stage, not as an update without its end
};

enum class UpdateOutcome { NothingToDo, Staged, Finalized };

struct UpdateResult {
    UpdateOutcome outcome = UpdateOutcome::NothingToDo;
    DeploymentInfo deployment;
    std::uint64_t fetched_bytes = 0;  ///< of blobs, as they came over the wire
    std::uint64_t reused_bytes = 0;
    std::vector<std::string> etc_changes;    ///< one line each, of the /etc merge
    std::vector<std::string> etc_conflicts;  ///< one line each, with what was done about it
};

struct CollectResult {
    std::vector<std::string> deployments;  ///< dropped, or that would be
    std::vector<std::string> items;        ///< files and objects, for a dry run
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> warnings;
};

struct PinOptions {
    std::string deployment;  ///< as select_deployments() takes it, and just one
    bool pinned = true;      ///< false: it may be collected again
};

struct PinResult {
    bool changed = false;
    DeploymentInfo deployment;
};

struct VerifyOptions {
    std::string deployment;  ///< as select_deployments() takes it; empty: all
    bool full = false;       ///< read every byte; else believe fs-verity, and sizes without it
    std::optional<std::uint64_t> rate;  ///< bytes per second; unset: store.verify_rate
};

struct VerifyResult {
    bool full = false;
    std::vector<std::string> deployments;  ///< that were looked at
    std::uint64_t objects = 0;             ///< looked at, each once
    std::uint64_t streams = 0;             ///< manifests, configs and layers
    std::uint64_t bytes = 0;               ///< read and hashed
    std::uint64_t missing = 0;             ///< objects, images, streams and refs
    std::uint64_t damaged = 0;             ///< the same
    std::uint64_t unvouched = 0;           ///< objects of which only existence and size are known
    std::vector<std::string> items;        ///< a line for each that is missing or damaged
    std::vector<std::string> warnings;

    [[nodiscard]] bool sound() const { return missing == 0 && damaged == 0; }
};

struct RepairOptions {
    std::string deployment;             ///< as in VerifyOptions
    std::optional<std::uint64_t> rate;  ///< the same
};

struct RepairResult {
    VerifyResult found;               ///< what was wrong before
    std::uint64_t repaired = 0;       ///< all of it
    std::uint64_t layers = 0;         ///< fetched again
    std::uint64_t fetched_bytes = 0;  ///< of blobs, as they came over the wire
};

struct EtcPreviewOptions {
    /// What /etc is merged with, as select_deployments() takes it. Empty: what is staged, or else
    /// the running image itself: then only what is local shows.
    std::string deployment;
    std::string path;    ///< below /etc: this and what is below it; empty: everything
    bool texts = false;  ///< with EtcPreview::diff
};

struct EtcPreview {
    std::string deployment;   ///< of which /etc is the new one, for people
    bool local_only = false;  ///< it is the running image's: what differs is local
    std::vector<etc::Change> changes;
    std::vector<etc::Conflict> conflicts;
    std::string diff;  ///< unified, of the text files among `changes`; content of /etc
};

struct EtcRestored {
    bool done = false;  ///< false: it is as the image has it
    std::string path;   ///< below /etc
    std::string was;    ///< "kept-local", "deleted-local", ...: what it was before
};

class Engine {
 public:
    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    virtual ~Engine() = default;

    /// Never fails: what cannot be read is shown as such. Thread-safe, takes no store lock.
    [[nodiscard]] virtual Status status() = 0;

    /// What the last crash left is finished or undone, and said in the log. Call once, before any
    /// verb.
    virtual void reconcile() = 0;

    [[nodiscard]] virtual CheckResult check(const std::string& image,
                                            ProgressSink& progress,
                                            const std::stop_token& stop) = 0;
    [[nodiscard]] virtual UpdateResult update(const UpdateOptions& options,
                                              ProgressSink& progress,
                                              const std::stop_token& stop) = 0;

    /// Merges /etc and arms what is staged. NotFound when nothing is.
    [[nodiscard]] virtual UpdateResult finalize(ProgressSink& progress,
                                                const std::stop_token& stop) = 0;

    /// Makes the previous deployment the loader's next choice. NotFound when there is none.
    [[nodiscard]] virtual DeploymentInfo rollback(ProgressSink& progress,
                                                  const std::stop_token& stop) = 0;

    [[nodiscard]] virtual CollectResult collect(bool dry_run,
                                                ProgressSink& progress,
                                                const std::stop_token& stop) = 0;

    /// Keeps a deployment that ran from being collected, beside the kept count, or gives it free
    /// again. NotFound when there is no such deployment, InvalidArgs when there are several,
    /// SlotNotProven for one that never ran.
    [[nodiscard]] virtual PinResult pin(const PinOptions& options,
                                        ProgressSink& progress,
                                        const std::stop_token& stop) = 0;

    /// Drops one deployment, and then what nobody refers to. Busy for what runs, waits, boots next
    /// or is pinned, SlotNotProven for the last one that is proven; NotFound and InvalidArgs as
    /// pin(). When it is gone and the store stays in use, a warning says that its space comes
    /// later.
    [[nodiscard]] virtual CollectResult remove(const std::string& deployment,
                                               ProgressSink& progress,
                                               const std::stop_token& stop) = 0;

    /// Looks for what deployments need of the store and is missing or damaged. Changes nothing.
    /// NotFound when there is no such deployment.
    [[nodiscard]] virtual VerifyResult verify(const VerifyOptions& options,
                                              ProgressSink& progress,
                                              const std::stop_token& stop) = 0;

    /// Finds the same by reading everything, and mends it: from what is on the machine where that
    /// is enough, else by fetching just the layers that hold it. What could be mended stays mended
    /// when the rest could not: then throws why.
    [[nodiscard]] virtual RepairResult repair(const RepairOptions& options,
                                              ProgressSink& progress,
                                              const std::stop_token& stop) = 0;

    /// What the merge of /etc would do. Changes nothing. NotFound when there is no such deployment.
    [[nodiscard]] virtual EtcPreview preview_etc(const EtcPreviewOptions& options,
                                                 ProgressSink& progress,
                                                 const std::stop_token& stop) = 0;

    /// Gives one file or link of the running /etc, or a whole directory that was deleted, back as
    /// the running image has it. NotFound when the image has none; InvalidArgs for what would take
    /// more with it: a directory that is there, and files of accounts.
    [[nodiscard]] virtual EtcRestored restore_etc(const std::string& path,
                                                  ProgressSink& progress,
                                                  const std::stop_token& stop) = 0;

    /// The next soft reboot leads to the image with this digest, if that waits for a boot then;
    /// empty: it does not any more. Any thread; writes a small file that no restart of the machine
    /// keeps. Unsupported where the machine has none.
    virtual void want_soft_reboot(const std::string& image) = 0;

    /// Keeps `error` as LastError (nullptr: forgets it), durably.
    virtual void remember_error(const Error* error) = 0;

    /// Durable when it returns; nullptr: there is none any more.
    virtual void set_paused_job(const PausedJob* job) = 0;

    /// What set_paused_job() was given last, also across restarts.
    [[nodiscard]] virtual std::optional<PausedJob> paused_job() = 0;

    /// A job id that was never given before, also across restarts.
    [[nodiscard]] virtual std::uint64_t next_job_id() = 0;
};

/// The real one. `settings` is copied. \throws nothing: what is missing shows when a verb needs it
[[nodiscard]] std::unique_ptr<Engine> make_engine(const settings::Settings& settings,
                                                  const Clock& clock = system_clock());

}  // namespace cfs::update
