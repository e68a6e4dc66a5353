// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "update/deploy.hpp"
#include "update/verbs.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

const boot::LoaderEntry* find(const Overview& all, const DeploymentRecord& record) {
    for (const auto& entry : all.entries) {
        if (boot::same_name(entry.name.stem, record.stem)) return &entry;
    }
    return nullptr;
}

bool is_bad(const boot::LoaderEntry& entry) {
    return entry.name.counter && entry.name.counter->left == 0;
}

/// What a boot needs and a glance shows; `cfsctl verify` looks closer. Empty if all is there.
std::string find_damage(const Machine& machine,
                        const Overview& all,
                        const DeploymentRecord& record) {
    if (record.phase == Phase::Staging || record.phase == Phase::Removing) return {};
    const int sysroot = machine.sysroot.get();
    const std::string state = state_path(record.image);
    for (const std::string& path : {state, state + "/etc", state + "/var"}) {
        const auto st = stat_at(sysroot, path);
        if (!st) return "'" + path + "' is missing";
        if (!S_ISDIR(st->st_mode) && path == state) return "'" + path + "' is no directory";
    }
    const std::string link = std::string(kStorePath) + "/images/" + record.image.hex();
    if (!stat_at(sysroot, link)) return "its image is missing in the store";
    const auto* entry = find(all, record);
    if (entry == nullptr || !entry->readable || entry->size == record.uki_size) return {};
    return "its UKI has " + std::to_string(entry->size) + " bytes, expected " +
           std::to_string(record.uki_size);
}

void find_damage(const Machine& machine, Overview& all) {
    for (const auto& record : all.records) {
        try {
            const std::string what = find_damage(machine, all, record);
            if (!what.empty()) all.damage[record.stem] = what;
        } catch (const Error& e) {
            all.damage[record.stem] = e.what();
        }
    }
}

/// Demoted for another product or a lower version: nothing speaks against it.
bool is_left(const Overview& all, const DeploymentRecord& record) {
    const std::string* why = find_hold(all.held, record);
    return record.left && (why == nullptr || *why == kHeldLeft);
}

/// Bootable, and not one that a rollback or the loader gave up.
bool is_candidate(const Overview& all, const DeploymentRecord& record) {
    const auto* entry = find(all, record);
    if (entry == nullptr || !entry->readable || all.damage.count(record.stem) != 0) return false;
    return is_left(all, record) || (!is_bad(*entry) && find_hold(all.held, record) == nullptr);
}

const DeploymentRecord* find_pending(const Overview& all) {
    for (const auto& record : all.records) {
        if (&record == all.booted) return nullptr;
        if (record.phase == Phase::Staged || record.phase == Phase::Finalizing) return &record;
        if (record.phase == Phase::Armed && is_candidate(all, record)) return &record;
    }
    return nullptr;
}

}  // namespace

bool is_way_back(const Overview& all, const DeploymentRecord& record) {
    return is_candidate(all, record) && is_proven(all, record);
}

namespace {

/// The newest proven one beside what runs; nullptr if none.
const DeploymentRecord* find_proven(const Overview& all) {
    for (const auto& record : all.records) {
        if (&record != all.booted && is_way_back(all, record)) return &record;
    }
    return nullptr;
}

/// Something newer than what runs is the loader's choice.
bool is_newer_next(const Overview& all) {
    if (all.pending != nullptr && all.pending->phase == Phase::Armed) return true;
    for (const auto& record : all.records) {
        const auto* entry = find(all, record);
        if (entry != nullptr && boot::same_name(entry->file, all.next_entry))
            return record.serial > all.booted->serial;
    }
    return false;
}

/// The newest that ran well and that a rollback, and no failure, left.
const DeploymentRecord* find_left(const Overview& all) {
    for (const auto& record : all.records) {
        if (record.serial <= all.booted->serial) break;
        const auto* entry = find(all, record);
        const std::string* why = find_hold(all.held, record);
        const bool left = why != nullptr && *why == kHeldRolledBack;
        if (left && entry != nullptr && entry->readable && is_proven(all, record)) return &record;
    }
    return nullptr;
}

const DeploymentRecord* find_rollback(const Overview& all) {
    if (all.booted == nullptr) return nullptr;
    if (is_newer_next(all)) return all.booted;  // going back means staying with what runs
    // One that never ran is a way back only when there is no other.
    if (all.proven != nullptr) return all.proven;
    for (const auto& record : all.records) {
        const bool bootable = record.phase == Phase::Booted || record.phase == Phase::Armed;
        if (&record != all.booted && bootable && is_candidate(all, record)) return &record;
    }
    // After a rollback by hand, a second one goes forward again.
    return find_left(all);
}

/// The same image once more: what a rollback left, and what was armed again since.
bool has_twin(const Overview& all, const DeploymentRecord& record) {
    return std::any_of(all.records.begin(), all.records.end(), [&](const auto& other) {
        return &other != &record && other.image == record.image;
    });
}

DeploymentState state_of(const Overview& all, const DeploymentRecord& record) {
    if (&record == all.booted) return DeploymentState::Booted;
    if (record.phase == Phase::Staged || record.phase == Phase::Finalizing)
        return DeploymentState::Staged;
    const auto* entry = find(all, record);
    if (entry == nullptr || !entry->readable || all.damage.count(record.stem) != 0)
        return DeploymentState::Broken;
    const std::string* why = find_hold(all.held, record);
    if (why != nullptr && !is_left(all, record))
        return *why == kHeldFailed ? DeploymentState::Failed : DeploymentState::RolledBack;
    if (&record == all.pending) return DeploymentState::Armed;
    return DeploymentState::Kept;
}

}  // namespace

bool is_proven(const Overview& all, const DeploymentRecord& record) {
    if (record.phase != Phase::Booted) return false;
    const auto* entry = find(all, record);
    return record.proven || (entry != nullptr && !entry->name.counter);
}

void take_overview(Machine& machine, Overview& out) {
    out.records = machine.state.deployments(&out.problems);
    out.held = machine.state.held(out.problems);
    out.fallback = machine.state.fallback();
    try {
        out.entries = machine.boot().list();
        out.next_entry = machine.boot().predict_next();
    } catch (const Error& e) {
        out.problems.push_back(std::string("the ESP cannot be read: ") + e.what());
    }
    find_damage(machine, out);
    out.foreign = find_foreign(machine.sysroot.get(), out.records);
    out.running = booted_image_if_known(machine.settings);
    out.booted = find_booted(machine.settings, out.records);
    out.pending = find_pending(out);
    out.proven = find_proven(out);
    out.rollback = find_rollback(out);
}

DeploymentInfo describe(const Overview& all, const DeploymentRecord& record) {
    DeploymentInfo info;
    info.digest = record.image.hex();
    info.version = record.version;
    info.title = record.title;
    info.state = state_of(all, record);
    info.image = record.reference;
    info.manifest_digest = to_oci(record.manifest);
    info.installed = record.installed;
    info.proven = is_proven(all, record);
    info.locked = record.locked && info.state == DeploymentState::Staged;
    info.for_anyone = info.locked && record.for_anyone;
    info.pinned = record.pinned;
    info.trial = record.tried_once;
    if (const auto* entry = find(all, record)) {
        info.uki = entry->file;
        info.problem = entry->problem;
        const bool unexplained = is_bad(*entry) && info.state == DeploymentState::Kept &&
                                 !has_twin(all, record) && !is_left(all, record);
        if (info.problem.empty() && unexplained)
            info.problem = "its tries are used up: the loader takes it last";
        info.next = boot::same_name(entry->file, all.next_entry);
        const bool is_forgotten =
            record.tried_once && info.state == DeploymentState::Armed && !info.next;
        if (info.problem.empty() && is_forgotten)
            info.problem =
                "the loader is not told to try it: the EFI variable "
                "LoaderEntryOneShot is gone or cannot be written";
    } else if (info.state == DeploymentState::Staged) {
        info.uki = record.staged_file;
    } else {
        info.problem = "its UKI is not on the ESP";
    }
    const auto damage = all.damage.find(record.stem);
    if (info.problem.empty() && damage != all.damage.end()) info.problem = damage->second;
    return info;
}

const DeploymentRecord& require_booted(const Overview& all) {
    if (all.booted != nullptr) return *all.booted;
    for (const ForeignDeployment& foreign : all.foreign) {
        if (foreign.image != all.running) continue;
        throw Error(ErrorCode::Unsupported,
                    "what runs is not ours: " + foreign.explain(),
                    foreign.dialect == Dialect::Own
                        ? "put state/cfsupdated/deployments back from a backup, or install onto an "
                          "empty target; what runs is not touched"
                        : "update it with that tool; 'cfsctl install' onto another disk moves to "
                          "cfsupdated");
    }
    throw Error(ErrorCode::NotFound,
                all.records.empty()
                    ? "no deployment is installed here"
                    : "the running system is none of the deployments that are installed here",
                all.records.empty() ? "install one with 'cfsctl install'"
                                    : "boot one of them; 'cfsctl status' lists them");
}

}  // namespace cfs::update
