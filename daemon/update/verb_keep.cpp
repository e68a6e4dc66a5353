// SPDX-License-Identifier: Apache-2.0
// What a person decides about deployments: which one stays, which one goes.
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "update/collection.hpp"
#include "update/deploy.hpp"
#include "update/recorded.hpp"
#include "update/selection.hpp"
#include "update/verbs.hpp"

namespace cfs::update {
namespace {

/// Exactly one: what is dropped or kept for ever is not guessed.
const DeploymentRecord& select_one(const Overview& all, const std::string& text) {
    if (text.empty()) {
        throw Error(ErrorCode::InvalidArgs,
                    "no deployment is named",
                    "name one by its version or digest: 'cfsctl status' lists them");
    }
    const auto named = select_deployments(all, text);
    if (named.size() == 1) return *named.front();
    std::string names;
    for (const auto* record : named)
        names += (names.empty() ? "" : ", ") + display_name(*record);
    throw Error(
        ErrorCode::InvalidArgs,
        "'" + printable(text) + "' is " + std::to_string(named.size()) + " deployments: " + names,
        "name one of them by its UKI");
}

/// What never ran may still be given up by the shutdown that makes it ready.
void require_ran(const DeploymentRecord& record) {
    if (record.phase == Phase::Booted) return;
    throw Error(ErrorCode::SlotNotProven,
                "version " + display_name(record) + " has not run yet",
                "boot it first: what never ran cannot be pinned");
}

[[noreturn]] void refuse(ErrorCode code,
                         const DeploymentRecord& record,
                         const std::string& why,
                         const std::string& hint) {
    throw Error(code, "version " + display_name(record) + " " + why + ": it is not removed", hint);
}

bool is_next(const Overview& all, const DeploymentRecord& record) {
    return describe(all, record).next;
}

/// Is there a proven one that can boot, without `record`?
bool has_proven_without(const Overview& all, const DeploymentRecord& record) {
    if (all.booted != nullptr && is_proven(all, *all.booted)) return true;
    for (const auto& other : all.records) {
        if (&other != &record && &other != all.booted && is_way_back(all, other)) return true;
    }
    return false;
}

void require_removable(const Overview& all, const DeploymentRecord& record) {
    if (&record == &require_booted(all)) {
        refuse(ErrorCode::Busy, record, "runs", "boot another deployment first");
    }
    if (record.phase == Phase::Staged || record.phase == Phase::Finalizing) {
        refuse(ErrorCode::Busy,
               record,
               "is staged",
               "'cfsctl rollback' drops it, and so does an update to another version");
    }
    if (&record == all.pending || is_next(all, record)) {
        refuse(ErrorCode::Busy,
               record,
               "is what starts next",
               "'cfsctl rollback' first makes another one the next to start");
    }
    if (record.pinned) {
        refuse(ErrorCode::Busy, record, "is pinned", "'cfsctl unpin' it first");
    }
    if (!has_proven_without(all, record)) {
        refuse(ErrorCode::SlotNotProven,
               record,
               "is the last one that is proven",
               "try again when the running version is proven: 'cfsctl status' shows it");
    }
}

void require_readable(const Overview& all) {
    if (all.problems.empty()) return;
    throw Error(ErrorCode::StateCorrupt,
                "nothing is removed while something cannot be read: " + all.problems.front(),
                "mend what 'cfsctl status' shows, then try again");
}

}  // namespace

PinResult run_pin(Machine& machine, const PinOptions& options) {
    Overview all;
    take_overview(machine, all);
    DeploymentRecord record = select_one(all, options.deployment);
    PinResult result;
    if (record.pinned != options.pinned) {
        machine.attempt.kind = options.pinned ? "pin" : "unpin";
        if (all.booted != nullptr) machine.attempt.from = version_of(*all.booted);
        machine.attempt.to = version_of(record);
        if (options.pinned) require_ran(record);
        record.pinned = options.pinned;
        machine.state.save(record);
        crash_point("update.pin-saved");
        result.changed = true;
    }
    Overview after;
    take_overview(machine, after);
    for (const auto& known : after.records) {
        if (known.stem == record.stem) result.deployment = describe(after, known);
    }
    return result;
}

CollectResult run_remove(Machine& machine,
                         const std::string& deployment,
                         ProgressSink& progress,
                         const std::stop_token& stop) {
    require_no_foreign_stage(machine);
    progress.stage("remove");
    Overview all;
    take_overview(machine, all);
    const DeploymentRecord record = select_one(all, deployment);
    machine.attempt.kind = "remove";
    machine.attempt.to = version_of(record);
    require_readable(all);
    require_removable(all, select_one(all, deployment));
    machine.attempt.from = version_of(*all.booted);
    CollectResult result;
    drop_deployment(machine, record);
    result.deployments.push_back(display_name(record));
    // It is gone; what its objects took comes back now or with the next collection.
    try {
        free_store(machine, {}, {}, false, result, stop);
    } catch (const Error& e) {
        if (e.code() == ErrorCode::Cancelled) throw;
        result.warnings.push_back(std::string("its space was not freed yet: ") + e.what() +
                                  "; 'cfsctl gc' does");
    }
    return result;
}

}  // namespace cfs::update
