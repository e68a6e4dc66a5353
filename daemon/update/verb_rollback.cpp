// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "update/deploy.hpp"
#include "update/events.hpp"
#include "update/recorded.hpp"
#include "update/rollback_steps.hpp"
#include "update/trial.hpp"
#include "update/tried_once.hpp"
#include "update/verbs.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

[[noreturn]] void refuse(const Overview& all) {
    const auto& booted = require_booted(all);
    throw Error(ErrorCode::NotFound,
                "there is nothing to roll back to: " + booted.version +
                    " is the only deployment that can boot",
                "'cfsctl status' lists the deployments");
}

/// Going back matters more than remembering why: damaged state does not stop it.
void hold(Machine& machine,
          const Digest& key,
          const DeploymentRecord& record,
          std::string_view reason) {
    try {
        hold_and_tell(machine, key, record, reason);
    } catch (const Error& e) {
        // What was left on purpose would come back by itself; the intent stays and is tried again.
        if (reason == kHeldLeft && e.code() != ErrorCode::StateCorrupt) throw;
        log::warn("rollback: version " + record.version + " cannot be held: " + e.what());
    }
}

/// This is what keeps it from being collected as something that was given up: no best effort.
void note_left(Machine& machine, DeploymentRecord record, bool left) {
    if (record.left == left) return;
    record.left = left;
    machine.state.save(record);
}

bool is_bad(const std::string& file) {
    const auto name = boot::parse_entry_name(file);
    return name && name->counter && name->counter->left == 0;
}

/// Somebody wants it again.
void release(Machine& machine, const DeploymentRecord& record) {
    try {
        machine.state.release(record);
    } catch (const Error& e) {
        log::warn("rollback: version " + record.version + " stays held: " + e.what());
    }
}

}  // namespace

RollbackIntent plan_rollback(Machine& machine,
                             const std::vector<DeploymentRecord>& records,
                             const DeploymentRecord& target) {
    RollbackIntent intent;
    intent.target = target.stem;
    const auto ahead = machine.boot().ahead_of(target.stem);
    for (const auto& record : records) {
        const bool is_ahead = std::find(ahead.begin(), ahead.end(), record.stem) != ahead.end();
        if (record.serial > target.serial || is_ahead) intent.demote.push_back(record.stem);
    }
    return intent;
}

void carry_out_rollback(Machine& machine, const RollbackIntent& intent) {
    const auto records = machine.state.deployments();
    const auto entries = machine.boot().list();
    const auto target = std::find_if(records.begin(), records.end(), [&](const auto& record) {
        return record.stem == intent.target;
    });
    const DeploymentRecord* const to = target == records.end() ? nullptr : &*target;
    if (to != nullptr) {
        release(machine, *to);
        note_left(machine, *to, false);
        const std::string file = find_entry(entries, to->stem);
        if (is_bad(file)) machine.boot().promote(file, {machine.settings.boot.tries, 0});
    }
    crash_point("update.rollback-promoted");
    for (const auto& record : records) {
        const bool wanted =
            std::count(intent.demote.begin(), intent.demote.end(), record.stem) != 0;
        const std::string file = wanted ? find_entry(entries, record.stem) : "";
        if (file.empty()) continue;
        const bool is_left = to != nullptr && record.serial < to->serial;
        note_left(machine, record, is_left);
        hold(machine,
             to != nullptr ? hold_key(record, *to) : record.image,
             record,
             is_left ? kHeldLeft : kHeldRolledBack);
        if (record.tried_once) forget_trial(machine, record);
        if (!is_bad(file)) machine.boot().demote(file);
    }
    machine.state.set_rollback_intent(std::nullopt);
    crash_point("update.rolled-back");
}

namespace {

/// \returns was there one?
bool drop_stage(Machine& machine, ProgressSink& progress) {
    Overview all;
    take_overview(machine, all);
    if (all.pending == nullptr || all.pending->phase == Phase::Armed) return false;
    progress.message("dropping the staged version " + all.pending->version);
    drop_deployment(machine, *all.pending);
    return true;
}

}  // namespace

DeploymentInfo run_rollback(Machine& machine, ProgressSink& progress) {
    require_no_foreign_stage(machine);
    progress.stage("rollback");
    const bool dropped = drop_stage(machine, progress);
    Overview all;
    take_overview(machine, all);
    // Where there is no other, going back means staying with what runs.
    if (all.rollback == nullptr && !dropped) refuse(all);
    if (all.rollback == nullptr) all.rollback = &require_booted(all);
    machine.attempt.kind = "rollback";
    if (all.booted != nullptr) machine.attempt.from = version_of(*all.booted);
    machine.attempt.to = version_of(*all.rollback);
    const RollbackIntent intent = plan_rollback(machine, all.records, *all.rollback);
    machine.state.set_rollback_intent(intent);
    crash_point("update.rollback-recorded");
    carry_out_rollback(machine, intent);
    Overview after;
    take_overview(machine, after);
    for (const auto& record : after.records) {
        if (record.stem != intent.target) continue;
        if (&record != after.booted) tell_reboot_pending(record);
        return describe(after, record);
    }
    throw Error(ErrorCode::StateCorrupt,
                "the record of the rollback's target vanished",
                "run 'cfsctl status'");
}

}  // namespace cfs::update
