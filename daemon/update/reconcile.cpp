// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/log.hpp"
#include "update/deploy.hpp"
#include "update/rollback_steps.hpp"
#include "update/verbs.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

std::string name_of(const DeploymentRecord& record) {
    return "version=" + printable(record.version) + " stem=" + record.stem +
           " image=" + record.image.hex();
}

void undo(Machine& machine, const DeploymentRecord& record, std::string_view what) {
    log::warn("reconcile: " + std::string(what) +
              " was interrupted, it is undone; the old system is untouched " + name_of(record));
    drop_deployment(machine, record);
}

bool has_staged_file(Machine& machine, const DeploymentRecord& record) {
    const auto files = machine.boot().staged();
    return std::any_of(files.begin(), files.end(), [&](const auto& file) {
        return boot::same_name(file.stem, record.stem);
    });
}

void set_phase(Machine& machine, DeploymentRecord record, Phase phase) {
    record.phase = phase;
    machine.state.save(record);
}

/// Interrupted between "merge begins" and "entry renamed": the rename is what decides.
void settle_finalizing(Machine& machine, const DeploymentRecord& record) {
    if (!find_entry(machine.boot().list(), record.stem).empty()) {
        log::warn("reconcile: finalizing had already armed the new deployment " + name_of(record));
        set_phase(machine, record, Phase::Armed);
    } else if (has_staged_file(machine, record)) {
        log::warn("reconcile: finalizing was interrupted before arming, it is staged again " +
                  name_of(record));
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
        case Phase::Booted:
            break;
    }
}

void note_booted(Machine& machine) {
    const auto records = machine.state.deployments();
    const DeploymentRecord* booted = find_booted(machine.settings, records);
    if (booted == nullptr || booted->phase == Phase::Booted) return;
    log::info("first seen running: " + name_of(*booted));
    set_phase(machine, *booted, Phase::Booted);
}

}  // namespace

void run_reconcile(Machine& machine) {
    machine.state.sweep_work();
    machine.state.sweep_temporaries();
    for (const auto& record : machine.state.deployments())
        settle(machine, record);
    if (const auto intent = machine.state.rollback_intent()) {
        log::warn("reconcile: a rollback was interrupted, it is finished now target=" +
                  intent->target);
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
