// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "update/deploy.hpp"
#include "update/recorded.hpp"
#include "update/rollback_steps.hpp"
#include "update/verbs.hpp"

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
void hold(Machine& machine, const Digest& key, const DeploymentRecord& record) {
    try {
        machine.state.hold(key, kHeldRolledBack);
    } catch (const Error& e) {
        log::warn("rollback: version " + record.version + " cannot be held: " + e.what());
    }
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

void carry_out_rollback(Machine& machine, const RollbackIntent& intent) {
    const auto records = machine.state.deployments();
    const auto entries = machine.boot().list();
    const DeploymentRecord* target = nullptr;
    for (const auto& record : records) {
        if (record.stem == intent.target) target = &record;
    }
    if (target != nullptr) release(machine, *target);
    for (const auto& record : records) {
        const std::string file = find_entry(entries, record.stem);
        if (file.empty()) continue;
        const auto name = boot::parse_entry_name(file);
        const bool is_bad = name && name->counter && name->counter->left == 0;
        if (record.stem == intent.target && is_bad) {
            machine.boot().promote(file, {machine.settings.boot.tries, 0});
        }
    }
    crash_point("update.rollback-promoted");
    for (const auto& record : records) {
        const bool wanted =
            std::count(intent.demote.begin(), intent.demote.end(), record.stem) != 0;
        const std::string file = wanted ? find_entry(entries, record.stem) : "";
        if (file.empty()) continue;
        hold(machine, target != nullptr ? hold_key(record, *target) : record.image, record);
        const auto name = boot::parse_entry_name(file);
        const bool is_bad = name && name->counter && name->counter->left == 0;
        if (!is_bad) machine.boot().demote(file);
    }
    machine.state.set_rollback_intent(std::nullopt);
    crash_point("update.rolled-back");
}

DeploymentInfo run_rollback(Machine& machine, ProgressSink& progress) {
    require_no_foreign_stage(machine);
    progress.stage("rollback");
    {
        Overview before;
        take_overview(machine, before);
        if (before.pending != nullptr && before.pending->phase != Phase::Armed) {
            progress.message("dropping the staged version " + before.pending->version);
            drop_deployment(machine, *before.pending);
        }
    }
    Overview all;
    take_overview(machine, all);
    if (all.rollback == nullptr) refuse(all);
    machine.attempt.kind = "rollback";
    if (all.booted != nullptr) machine.attempt.from = version_of(*all.booted);
    machine.attempt.to = version_of(*all.rollback);
    RollbackIntent intent;
    intent.target = all.rollback->stem;
    for (const auto& record : all.records) {
        if (record.serial > all.rollback->serial) intent.demote.push_back(record.stem);
    }
    machine.state.set_rollback_intent(intent);
    crash_point("update.rollback-recorded");
    carry_out_rollback(machine, intent);
    Overview after;
    take_overview(machine, after);
    for (const auto& record : after.records) {
        if (record.stem == intent.target) return describe(after, record);
    }
    throw Error(ErrorCode::StateCorrupt,
                "the record of the rollback's target vanished",
                "run 'cfsctl status'");
}

}  // namespace cfs::update
