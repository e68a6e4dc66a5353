// SPDX-License-Identifier: Apache-2.0
#include "update/status.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "boot/efi_variables.hpp"
#include "update/boot_files.hpp"
#include "update/shutdown.hpp"
#include "update/soft_reboot.hpp"
#include "update/trial.hpp"
#include "update/verbs.hpp"
#include "update/wanted.hpp"

#include <algorithm>
#include <exception>

namespace cfs::update {
namespace {

void add_foreign(const Overview& all, Status& status) {
    for (const auto& entry : all.entries) {
        bool known = false;
        for (const auto& record : all.records)
            known = known || boot::same_name(record.stem, entry.name.stem);
        if (known) continue;
        DeploymentInfo info;
        info.version = entry.version;
        info.title = entry.title;
        info.uki = entry.file;
        info.state = DeploymentState::Foreign;
        info.next = boot::same_name(entry.file, all.next_entry);
        info.problem = entry.problem;
        status.deployments.push_back(std::move(info));
    }
}

bool is_next(const Overview& all, const DeploymentRecord& record) {
    return describe(all, record).next;
}

HeldVersion describe_held(const Overview& all, const std::string& key, const std::string& reason) {
    for (const auto& record : all.records) {
        if (record.image.hex() == key || record.authenticode.hex() == key)
            return {key, record.version, reason};
    }
    const bool fell = all.fallback && all.fallback->digest == key;
    return {key, fell ? all.fallback->version : "", reason};
}

void fill_deployments(const Overview& all, Status& status) {
    for (const auto& record : all.records)
        status.deployments.push_back(describe(all, record));
    add_foreign(all, status);
    for (const ForeignDeployment& foreign : all.foreign)
        status.deployments.push_back(describe(foreign, all.running));
    if (all.booted != nullptr) {
        status.fallback = find_fallback(all.fallback, *all.booted);
        status.booted = describe(all, *all.booted);
        status.reboot_pending = !all.next_entry.empty() && !is_next(all, *all.booted);
    }
    const bool runs_foreign =
        std::any_of(all.foreign.begin(), all.foreign.end(), [&](const auto& foreign) {
            return foreign.image == all.running;
        });
    if (all.booted == nullptr && !runs_foreign && !all.records.empty()) {
        status.warnings.emplace_back(
            all.running ? "the image that runs is of none of the deployments: " + all.running->hex()
                        : "which deployment runs is not known: the command line names no image");
    }
    for (const auto& [key, reason] : all.held)
        status.held.push_back(describe_held(all, key, reason));
    if (all.pending != nullptr) {
        status.staged = describe(all, *all.pending);
        status.reboot_pending |= all.pending->phase == Phase::Staged && !all.pending->locked;
    }
    if (all.rollback != nullptr) status.rollback = describe(all, *all.rollback);
    status.warnings.insert(status.warnings.end(), all.problems.begin(), all.problems.end());
}

/// What a person set there decides before versions and tries do.
void add_loader_choice(const settings::Settings& settings, Status& status) {
    const boot::LoaderChoice choice = boot::loader_choice(settings.efivars);
    if (!choice.standing.empty()) {
        status.warnings.push_back(
            "the EFI variable LoaderEntryDefault makes the loader start '" +
            printable(choice.standing) +
            "' whatever its version and its tries: 'bootctl set-default \"\"' ends that");
    }
    // A trial of our own is said where its deployment is.
    const bool is_own = status.staged && status.staged->trial && status.staged->next;
    if (!choice.one_shot.empty() && !is_own) {
        status.warnings.push_back("the next boot alone starts '" + printable(choice.one_shot) +
                                  "' (EFI variable LoaderEntryOneShot)");
    }
}

/// Runs one part of the report; what it throws becomes a warning.
template <typename F>
void part(Status& status, const char* what, F&& fill) {
    try {
        fill();
    } catch (const std::exception& e) {
        status.warnings.push_back(std::string(what) + ": " + e.what());
    }
}

/// What cannot be looked at is in the way.
std::string soft_problem(const Machine& machine,
                         const Overview& all,
                         const DeploymentRecord& target) {
    try {
        return why_no_soft_reboot(machine, all, target);
    } catch (const std::exception& e) {
        return e.what();
    }
}

std::string describe_verity(Machine& machine) {
    if (machine.store().secure()) return "enforced";
    return "not enforced: the store's file system has no fs-verity, files are not checked when "
           "they are read";
}

}  // namespace

std::string_view to_string(DeploymentState state) {
    switch (state) {
        case DeploymentState::Booted:
            return "booted";
        case DeploymentState::Staged:
            return "staged";
        case DeploymentState::Armed:
            return "armed";
        case DeploymentState::Kept:
            return "kept";
        case DeploymentState::RolledBack:
            return "rolled-back";
        case DeploymentState::Failed:
            return "failed";
        case DeploymentState::Broken:
            return "broken";
        case DeploymentState::Foreign:
            return "foreign";
    }
    return "unknown";
}

Status read_status(const settings::Settings& settings, const Clock& clock) {
    Status status;
    status.image = settings.image;
    status.verity = "unknown";
    part(status, "status", [&] {
        // Asking must not write: an empty or read-only sysroot stays as it is.
        if (!stat_at(open_root(settings.sysroot).get(), kPrivatePath)) {
            for (const auto& foreign : find_foreign(open_root(settings.sysroot).get(), {}))
                status.deployments.push_back(describe(foreign, booted_image_if_known(settings)));
            status.warnings.emplace_back(status.deployments.empty()
                                             ? "no deployment is installed here"
                                             : "no deployment of cfsupdated is installed here");
            return;
        }
        Machine machine(settings, clock, mount::Access::Read);
        part(status, "deployments", [&] {
            Overview all;
            take_overview(machine, all);
            fill_deployments(all, status);
            if (all.pending != nullptr)
                status.soft_reboot_problem = soft_problem(machine, all, *all.pending);
            status.image = origin_of(all, settings);
            if (!settings.image.empty() && status.image != settings.image)
                status.warnings.push_back("updates come from '" + printable(status.image, 300) +
                                          "', by 'cfsctl switch'; configured is '" +
                                          printable(settings.image, 300) + "'");
        });
        part(status, "the store", [&] { status.verity = describe_verity(machine); });
        add_loader_choice(settings, status);
        (void)machine.state.floor(status.warnings);
        machine.state.find_damaged(status.warnings);
        if (const auto failed = failed_checks(settings); !failed.empty())
            status.warnings.push_back("this boot did not pass its health checks: " + failed);
        status.finalize_failure = machine.state.finalize_failure();
        if (status.finalize_failure)
            status.warnings.push_back(describe_finalize_failure(*status.finalize_failure));
        status.available = machine.state.available();
        status.last_error = machine.state.last_error();
        status.counters = machine.state.counters();
        part(status, "the history", [&] { status.history = machine.state.history(); });
    });
    return status;
}

}  // namespace cfs::update
