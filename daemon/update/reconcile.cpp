// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/log.hpp"
#include "update/deploy.hpp"
#include "update/etc_switch.hpp"
#include "update/mend.hpp"
#include "update/recorded.hpp"
#include "update/rollback_steps.hpp"
#include "update/trial.hpp"
#include "update/tried_once.hpp"
#include "update/verbs.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

void set_phase(Machine& machine, DeploymentRecord record, Phase phase) {
    record.phase = phase;
    // What ran has an /etc of its own, and nothing of what was there before it comes back.
    if (phase == Phase::Booted) {
        record.previous_etc.clear();
        record.released_key.clear();
    }
    machine.state.save(record);
}

/// Before it is put right: told twice is better than never.
void tell(Machine& machine,
          const char* kind,
          const DeploymentRecord& record,
          const std::string& what) {
    HistoryEntry entry;
    entry.kind = kind;
    entry.result = "interrupted";
    entry.to = version_of(record);
    entry.message = what;
    record_event(machine, {"recovery", 0}, std::move(entry));
}

const char* kind_of(Phase phase) {
    if (phase == Phase::Removing) return "remove";
    return phase == Phase::Finalizing ? "finalize" : "update";
}

/// Drops a deployment, unless it is what runs: then whatever was begun with it ends here.
void undo(Machine& machine, const DeploymentRecord& record, std::string_view what) {
    if (is_running(machine, record)) {
        log::error("reconcile: " + std::string(what) +
                   " was interrupted, but this deployment runs: it stays " + name_of(record));
        set_phase(machine, record, Phase::Booted);
        return;
    }
    const std::string text =
        std::string(what) + " was interrupted, it is undone; the old system is untouched";
    log::warn("reconcile: " + text + " " + name_of(record));
    tell(machine, kind_of(record.phase), record, text);
    drop_deployment(machine, record);
}

bool has_staged_file(Machine& machine, const DeploymentRecord& record) {
    const auto files = machine.boot().staged();
    return std::any_of(files.begin(), files.end(), [&](const auto& file) {
        return boot::same_name(file.stem, record.stem);
    });
}

void settle_armed(Machine& machine, DeploymentRecord record, const std::string& file) {
    // A power cut between rename and sync can leave a name without its bytes.
    const bool sound = holds_its_uki(machine, record, file);
    if (!sound && !is_running(machine, record)) {
        undo(machine, record, "arming (its entry is not the UKI that was copied)");
        return;
    }
    const std::string text = "finalizing had already armed the new deployment";
    log::warn("reconcile: " + text + " " + name_of(record));
    tell(machine, "finalize", record, text);
    release_wanted(machine, record);
    record.phase = Phase::Armed;
    machine.state.save(record);
    keep_etc(machine, record);
}

/// Interrupted between "merge begins" and "entry renamed": the rename is what decides.
void settle_finalizing(Machine& machine, DeploymentRecord record) {
    const std::string entry = find_entry(machine.boot().list(), record.stem);
    if (!entry.empty()) {
        settle_armed(machine, record, entry);
    } else if (has_staged_file(machine, record)) {
        const std::string text = "finalizing was interrupted before arming, it is staged again";
        log::warn("reconcile: " + text + " " + name_of(record));
        tell(machine, "finalize", record, text);
        revert_etc(machine, record);
        set_phase(machine, record, Phase::Staged);
    } else {
        undo(machine, record, "finalizing");
    }
}

void settle(Machine& machine, const DeploymentRecord& record) {
    switch (record.phase) {
        case Phase::Staging:
            undo(machine, record, "staging");
            break;
        case Phase::Removing:
            undo(machine, record, "removing a deployment");
            break;
        case Phase::Finalizing:
            settle_finalizing(machine, record);
            break;
        case Phase::Staged:
            if (!has_staged_file(machine, record))
                undo(machine, record, "a stage whose UKI is gone from the ESP");
            break;
        case Phase::Armed:
        case Phase::Booted: {
            DeploymentRecord own = record;
            keep_etc(machine, own);
            break;
        }
    }
}

void note_booted(Machine& machine) {
    auto records = machine.state.deployments();
    const DeploymentRecord* booted = find_booted(machine.settings, records);
    if (booted == nullptr) return;
    if (booted->phase != Phase::Booted) {
        log::info("first seen running: " + name_of(*booted));
        set_phase(machine, *booted, Phase::Booted);
        records = machine.state.deployments();
        booted = find_booted(machine.settings, records);
    }
    const auto name = boot::parse_entry_name(find_entry(machine.boot().list(), booted->stem));
    if (booted->proven || (name && !name->counter)) note_proven(machine, *booted);
    settle_trials(machine, *booted);
    note_failed(machine, records, *booted);
}

/// Records that speak of entries, and an ESP without any of them: more likely it is not mounted
/// than that all are gone. Nothing is decided by such an ESP.
void require_own_esp(Machine& machine, const std::vector<DeploymentRecord>& records) {
    const auto is_installed = [](const auto& record) {
        return record.phase == Phase::Armed || record.phase == Phase::Booted;
    };
    if (std::none_of(records.begin(), records.end(), is_installed)) return;
    const auto entries = machine.boot().list();
    const auto has_entry = [&](const auto& record) {
        return is_installed(record) && !find_entry(entries, record.stem).empty();
    };
    if (std::any_of(records.begin(), records.end(), has_entry)) return;
    throw Error(
        ErrorCode::StateCorrupt,
        "the ESP '" + machine.boot().location() + "' has no entry of any installed deployment",
        "mount the EFI system partition there, or name it with 'esp' in cfsupdated.toml; if its "
        "entries are lost, install again");
}

}  // namespace

void run_reconcile(Machine& machine) {
    const auto records = machine.state.deployments();
    require_own_esp(machine, records);
    machine.state.sweep_work();
    machine.state.sweep_temporaries();
    for (const auto& record : records)
        settle(machine, record);
    if (const auto intent = machine.state.rollback_intent()) {
        const std::string text = "a rollback was interrupted, it is finished now";
        log::warn("reconcile: " + text + " target=" + intent->target);
        for (const auto& record : machine.state.deployments()) {
            if (record.stem == intent->target) tell(machine, "rollback", record, text);
        }
        carry_out_rollback(machine, *intent);
    }
    std::vector<std::string> keep;
    for (const auto& record : machine.state.deployments())
        keep.push_back(record.stem);
    for (const auto& file : machine.boot().sweep_leftovers(keep)) {
        log::warn("reconcile: removed a leftover of an interrupted copy from the ESP file=" + file);
    }
    note_booted(machine);
}

}  // namespace cfs::update
