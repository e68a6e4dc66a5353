// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "update/deploy.hpp"
#include "update/events.hpp"
#include "update/eviction.hpp"
#include "update/pull.hpp"
#include "update/recorded.hpp"
#include "update/rollback_guard.hpp"
#include "update/room.hpp"
#include "update/selection.hpp"
#include "update/source.hpp"
#include "update/trial.hpp"
#include "update/tried_once.hpp"
#include "update/verbs.hpp"
#include "update/wanted.hpp"

namespace cfs::update {
namespace {

void check_expected(const UpdateOptions& options,
                    const net::Resolved& resolved,
                    const JudgedUki* judged) {
    if (options.expected_digest.empty()) return;
    const std::string manifest = to_oci(resolved.manifest_digest);
    if (options.expected_digest == manifest) return;
    const bool is_manifest = options.expected_digest.find(':') != std::string::npos;
    if (judged == nullptr && !is_manifest) return;
    if (judged != nullptr && options.expected_digest == judged->argument.digest.hex()) return;
    throw Error(ErrorCode::DigestMismatch,
                "the image is not the expected one: expected " + options.expected_digest +
                    ", found " + (is_manifest ? manifest : judged->argument.digest.hex()),
                "the reference moved on: check again and decide anew");
}

/// Naming an image is a wish for that one; an expected digest only guards against a race.
bool is_explicit(const UpdateOptions& options) {
    return !options.image.empty();
}

/// One update from gate to arming; the members are what the steps hand to each other.
class Update {
 public:
    Update(Machine& machine,
           const UpdateOptions& options,
           ProgressSink& progress,
           const std::stop_token& stop)
        : machine_(machine), options_(options), progress_(progress), stop_(stop) {
        take_overview(machine_, all_);
    }

    UpdateResult run() {
        require_sense();
        machine_.attempt.kind = options_.switching  ? "switch"
                                : options_.finalize ? "update"
                                                    : "stage";
        require_no_foreign_stage(machine_);
        const DeploymentRecord& booted = require_booted(all_);
        machine_.asked = true;
        machine_.attempt.from = version_of(booted);
        (void)machine_.state.held();  // what cannot be known is not taken for "nothing is held"
        lock_.emplace(machine_.store().lock_shared(machine_.settings.store.lock_timeout, stop_));
        OpenedSource source(reference_for(all_, machine_.settings, options_.image),
                            machine_.settings,
                            scratch_dir(machine_.settings),
                            stop_,
                            keep_options(machine_.settings));
        Pull pull(machine_, *source, progress_, stop_);
        const RollbackGuard note([&] { machine_.attempt.fetched = pull.fetched_bytes(); });
        progress_.stage("check");
        check_expected(options_, pull.resolve(), nullptr);
        if (auto done = nothing_new(pull, nullptr)) return *done;
        if (auto done = switch_waits()) return *done;
        if (!is_explicit(options_)) require_proven(machine_, all_, booted);
        const JudgedUki& judged = gate(machine_, all_, pull, booted, allowed());
        machine_.attempt.to = {judged.uki.osrel.version(), judged.argument.digest.hex()};
        check_expected(options_, pull.resolved(), &judged);
        if (auto done = nothing_new(pull, &judged)) return *done;
        require_startable(pull);
        return install(pull, booted);
    }

 private:
    void require_sense() const;
    [[nodiscard]] Allowed allowed() const;
    void require_startable(const Pull& pull);
    std::optional<UpdateResult> switch_waits();
    void adopt_origin(DeploymentRecord& record);
    [[nodiscard]] std::string new_origin() const;
    std::optional<UpdateResult> nothing_new(const Pull& pull, const JudgedUki* judged);
    UpdateResult install(Pull& pull, const DeploymentRecord& booted);
    UpdateResult stage(Pull& pull, const DeploymentRecord& booted, DeploymentRecord& record);
    UpdateResult finish(const DeploymentRecord& record,
                        const DeploymentRecord* booted,
                        UpdateResult result);
    [[nodiscard]] bool stays_locked(const DeploymentRecord& record) const;
    void relock(DeploymentRecord record);
    void supersede();
    void evict(const DeploymentRecord& record);

    Machine& machine_;
    const UpdateOptions& options_;
    ProgressSink& progress_;
    const std::stop_token& stop_;
    std::optional<store::SharedLock> lock_;
    Overview all_;
};

void Update::require_sense() const {
    if (!options_.switching || !options_.image.empty()) return;
    throw Error(ErrorCode::InvalidArgs,
                "no image is named to switch to",
                "name its reference: 'cfsctl switch docker://HOST/NAME:TAG'");
}

Allowed Update::allowed() const {
    return {options_.switching, options_.switching || options_.downgrade};
}

/// Whether the loader will start it is known by its version and name: before it is fetched.
void Update::require_startable(const Pull& pull) {
    const std::uint64_t serial = all_.records.front().serial + 1;
    DeploymentRecord expected = describe_image(pull, serial);
    expected.switched = options_.switching;
    expected.downgraded = options_.downgrade;
    const auto order =
        find_order(machine_, expected.staged_uki(machine_.settings.boot.tries), expected);
    if (order == Order::First) return;
    progress_.message("version " + expected.version +
                      " does not come first in the boot loader's order: it is started once, and "
                      "comes first when it is proven");
}

/// Automation does not decide between what was switched to and what is newer there.
std::optional<UpdateResult> Update::switch_waits() {
    const bool waits = all_.pending != nullptr && all_.pending->switched;
    if (!waits || is_explicit(options_)) return std::nullopt;
    progress_.message("version " + all_.pending->version +
                      " was switched to and waits for its first boot: nothing newer comes before");
    machine_.attempt.kind.clear();
    UpdateResult result;
    result.deployment = describe(all_, *all_.pending);
    return result;
}

/// Kept with the deployment, so that a rollback goes back to where its updates came from.
std::string Update::new_origin() const {
    if (!options_.switching) return all_.booted->origin;
    return options_.image == machine_.settings.image ? "" : options_.image;
}

/// What was switched to is here already: only where its updates come from changes.
void Update::adopt_origin(DeploymentRecord& record) {
    if (!options_.switching || record.origin == new_origin()) return;
    record.origin = new_origin();
    machine_.state.save(record);
    progress_.message("updates come from '" + options_.image + "' from now on");
    if (all_.pending != nullptr && all_.pending->stem != record.stem) {
        progress_.message("version " + all_.pending->version +
                          " still starts next: 'cfsctl rollback' ends that");
    }
}

std::optional<UpdateResult> Update::nothing_new(const Pull& pull, const JudgedUki* judged) {
    DeploymentRecord wanted;
    wanted.manifest = pull.resolved().manifest_digest;
    if (judged != nullptr) {
        wanted.image = judged->argument.digest;
        wanted.authenticode = judged->uki.authenticode;
    }
    UpdateResult result;
    result.fetched_bytes = pull.fetched_bytes();
    if (const auto* same = find_same(all_, wanted)) {
        result.deployment = describe(all_, *same);
        DeploymentRecord known = *same;
        adopt_origin(known);
        if (stays_locked(*same)) {
            machine_.attempt.kind.clear();
            progress_.message("it is locked: nothing but 'cfsctl finalize' makes it the next boot");
            return result;
        }
        if (same->phase == Phase::Staged && options_.finalize) {
            machine_.attempt.to = version_of(*same);
            return finish(known, all_.booted, result);
        }
        machine_.attempt.kind.clear();
        if (same->phase == Phase::Staged) relock(known);
        progress_.message(same == all_.booted ? "already running"
                                              : "already installed, waiting for a reboot");
        return result;
    }
    const std::string* why = judged != nullptr ? find_hold(all_.held, wanted) : nullptr;
    if (why == nullptr || is_explicit(options_)) return std::nullopt;
    progress_.message("version " + judged->uki.osrel.version() + " is held (" + *why +
                      "): name it with --image to install it anyway");
    result.deployment = describe(all_, *all_.booted);
    machine_.attempt.kind.clear();
    return result;
}

/// To lock, and to finalize what is locked, is an administrator's; to update is everybody's who
/// sits at the machine, and what the policy only fetched waits for that.
bool Update::stays_locked(const DeploymentRecord& record) const {
    return record.phase == Phase::Staged && record.locked && !record.for_anyone &&
           !options_.locked && progress_.initiator().kind == "user";
}

/// Staged once more: what is said last counts. But no policy weakens what somebody locked.
void Update::relock(DeploymentRecord record) {
    const bool weaker = record.locked && options_.locked && options_.for_anyone;
    const bool same = record.locked == options_.locked && record.for_anyone == options_.for_anyone;
    if (same || weaker) return;
    record.locked = options_.locked;
    record.for_anyone = options_.locked && options_.for_anyone;
    machine_.state.save(record);
}

/// A staged deployment that the new one replaces gives its place on the ESP back first.
void Update::supersede() {
    Overview now;
    take_overview(machine_, now);
    if (now.pending == nullptr || now.pending->phase == Phase::Armed) return;
    progress_.message("dropping the staged version " + now.pending->version);
    drop_deployment(machine_, *now.pending);
}

/// Older ones go for it where the ESP has no room for one more. All of it was fetched and verified
/// by now, and the loader will take it.
void Update::evict(const DeploymentRecord& record) {
    Overview now;
    take_overview(machine_, now);
    const auto gone = choose_evicted(machine_, now, record.uki_size, 0, record.image);
    if (gone.empty()) return;
    (void)find_order(machine_, record.staged_uki(machine_.settings.boot.tries), record);
    for (const auto& old : gone) {
        progress_.message("dropping version " + display_name(old) +
                          ": the EFI system partition has no room for one more");
        drop_deployment(machine_, old);
        note_dropped(machine_, old);
    }
}

/// All of it but the switch. Staged, or nothing of it is left but layers.
UpdateResult Update::stage(Pull& pull, const DeploymentRecord& booted, DeploymentRecord& record) {
    machine_.attempt.reused = pull.reused_bytes();
    pull.fetch();
    pull.compose(&booted);
    progress_.stage("stage");
    record = make_record(machine_, pull);
    record.wanted = is_explicit(options_) && find_hold(all_.held, record) != nullptr;
    record.locked = options_.locked && !options_.finalize;
    record.for_anyone = record.locked && options_.for_anyone;
    record.origin = new_origin();
    record.switched = options_.switching;
    record.downgraded = options_.downgrade;
    EtcReport merge = describe(preview_etc(machine_, record, booted, pull.composed().tree, stop_));
    for (const std::string& conflict : merge.conflicts)
        progress_.message(conflict);
    supersede();
    evict(record);
    stage_deployment(machine_, record, pull, machine_.settings.boot.tries, stop_);
    machine_.state.set_available(std::nullopt);
    tell_staged(record);
    UpdateResult result;
    result.outcome = UpdateOutcome::Staged;
    result.fetched_bytes = pull.fetched_bytes();
    result.reused_bytes = pull.reused_bytes();
    result.etc_changes = std::move(merge.changes);
    result.etc_conflicts = std::move(merge.conflicts);
    return result;
}

UpdateResult Update::install(Pull& pull, const DeploymentRecord& booted) {
    const Digest image = pull.judged().argument.digest;
    DiskRoom room(machine_, pull, booted, lock_, progress_, stop_);
    room.plan();
    room.make(image);
    std::optional<UpdateResult> result;
    DeploymentRecord record;
    while (!result) {
        try {
            result = stage(pull, booted, record);
        } catch (const Error& e) {
            // What it takes shows when it is there: what is unpacked may be here already.
            if (e.code() != ErrorCode::NoSpace || !room.make_more(image)) throw;
        }
    }
    if (options_.finalize) return finish(record, &booted, *std::move(result));
    Overview after;
    take_overview(machine_, after);
    result->deployment = describe(after, record);
    return *std::move(result);
}

UpdateResult Update::finish(const DeploymentRecord& record,
                            const DeploymentRecord* booted,
                            UpdateResult result) {
    progress_.stage("finalize");
    EtcReport merge =
        finalize_deployment(machine_, record, booted, machine_.settings.boot.tries, stop_);
    tell_reboot_pending(record);
    result.etc_changes = std::move(merge.changes);
    result.etc_conflicts = std::move(merge.conflicts);
    result.outcome = UpdateOutcome::Finalized;
    Overview after;
    take_overview(machine_, after);
    for (const auto& known : after.records) {
        if (known.stem == record.stem) result.deployment = describe(after, known);
    }
    return result;
}

}  // namespace

UpdateResult run_update(Machine& machine,
                        const UpdateOptions& options,
                        ProgressSink& progress,
                        const std::stop_token& stop) {
    return Update(machine, options, progress, stop).run();
}

UpdateResult run_finalize(Machine& machine, ProgressSink& progress, const std::stop_token& stop) {
    require_no_foreign_stage(machine);
    Overview all;
    take_overview(machine, all);
    if (all.pending == nullptr || all.pending->phase != Phase::Staged) {
        throw Error(ErrorCode::NotFound, "nothing is staged", "run 'cfsctl update' first");
    }
    machine.attempt.kind = "finalize";
    const DeploymentRecord& booted = require_booted(all);
    machine.attempt.from = version_of(booted);
    const auto lock = machine.store().lock_shared(machine.settings.store.lock_timeout, stop);
    progress.stage("finalize");
    const DeploymentRecord record = *all.pending;
    machine.attempt.to = version_of(record);
    UpdateResult result;
    result.outcome = UpdateOutcome::Finalized;
    EtcReport merge =
        finalize_deployment(machine, record, &booted, machine.settings.boot.tries, stop);
    tell_reboot_pending(record);
    result.etc_changes = std::move(merge.changes);
    result.etc_conflicts = std::move(merge.conflicts);
    Overview after;
    take_overview(machine, after);
    for (const auto& known : after.records) {
        if (known.stem == record.stem) result.deployment = describe(after, known);
    }
    return result;
}

}  // namespace cfs::update
