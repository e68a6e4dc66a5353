// SPDX-License-Identifier: Apache-2.0
#include "update/etc_switch.hpp"

#include "base/crash_point.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <sys/stat.h>

namespace cfs::update {
namespace {

constexpr const char* kNext = "etc.next";
constexpr const char* kPrevious = "etc.prev";

std::string etc_of(const DeploymentRecord& record) {
    return state_path(record.image) + "/etc";
}

std::string next_of(const DeploymentRecord& record) {
    return state_path(record.image) + "/" + kNext;
}

bool is_merged(const Machine& machine, const DeploymentRecord& record, const std::string& path) {
    const auto st = stat_at(machine.sysroot.get(), path);
    return st && st->st_ino == record.merged_inode;
}

void forget(Machine& machine, DeploymentRecord& record) {
    if (record.merged_inode == 0) return;
    record.merged_inode = 0;
    machine.state.save(record);
}

std::string previous_name(const Machine& machine, const DeploymentRecord& record) {
    const std::string plain = state_path(record.image) + "/" + kPrevious;
    const bool taken = stat_at(machine.sysroot.get(), plain).has_value();
    return taken ? std::string(kPrevious) + "." + std::to_string(record.serial) : kPrevious;
}

/// What a merged tree took the place of. The name is recorded first: a tree that has it is the
/// slot's own, and no later merge's turn.
void set_aside(Machine& machine, DeploymentRecord& record, const std::string& replaced) {
    const int sysroot = machine.sysroot.get();
    if (record.shared_state && record.previous_etc.empty()) {
        record.previous_etc = previous_name(machine, record);
        record.previous_inode = stat_at(sysroot, replaced)->st_ino;
        machine.state.save(record);
        crash_point("update.etc-noted");
    }
    const std::string previous = state_path(record.image) + "/" + record.previous_etc;
    if (record.shared_state && !stat_at(sysroot, previous)) {
        rename_noreplace_at(sysroot, replaced, previous);
    } else {
        remove_tree_at(sysroot, replaced);
    }
}

}  // namespace

std::string state_path(const Digest& image) {
    return std::string(kDeployPath) + "/" + image.hex();
}

void switch_etc(Machine& machine, DeploymentRecord& record, const std::string& merged) {
    revert_etc(machine, record);
    const int sysroot = machine.sysroot.get();
    rename_noreplace_at(sysroot, merged, next_of(record));
    fsync_dir_at(sysroot, state_path(record.image));
    record.merged_inode = stat_at(sysroot, next_of(record))->st_ino;
    machine.state.save(record);
    crash_point("update.etc-placed");
    rename_exchange_at(sysroot, next_of(record), etc_of(record));
    crash_point("update.etc-exchanged");
    sync_file_system(sysroot, machine.settings.sysroot);
}

void revert_etc(Machine& machine, DeploymentRecord& record) {
    const int sysroot = machine.sysroot.get();
    if (stat_at(sysroot, next_of(record))) {
        if (record.merged_inode != 0 && is_merged(machine, record, etc_of(record))) {
            rename_exchange_at(sysroot, next_of(record), etc_of(record));
            fsync_dir_at(sysroot, state_path(record.image));
            crash_point("update.etc-reverted");
        }
        remove_tree_at(sysroot, next_of(record));
    }
    forget(machine, record);
}

void keep_etc(Machine& machine, DeploymentRecord& record) {
    if (record.merged_inode == 0) return;
    const int sysroot = machine.sysroot.get();
    const std::string next = next_of(record);
    if (is_merged(machine, record, etc_of(record)) && stat_at(sysroot, next)) {
        set_aside(machine, record, next);
    } else if (is_merged(machine, record, next)) {
        remove_tree_at(sysroot, next);
    }
    crash_point("update.etc-kept");
    fsync_dir_at(sysroot, state_path(record.image));
    forget(machine, record);
}

void give_back_etc(Machine& machine, DeploymentRecord& record) {
    if (record.previous_etc.empty()) return;
    const int sysroot = machine.sysroot.get();
    const std::string previous = state_path(record.image) + "/" + record.previous_etc;
    const auto is_own = [&](const std::string& path) {
        const auto st = stat_at(sysroot, path);
        return st && st->st_ino == record.previous_inode;
    };
    if (is_own(previous)) {
        rename_exchange_at(sysroot, previous, etc_of(record));
        fsync_dir_at(sysroot, state_path(record.image));
        crash_point("update.etc-given-back");
    }
    // Neither, where the whole system was copied: then nothing is known, and both stay.
    if (is_own(etc_of(record))) remove_tree_at(sysroot, previous);
}

void drop_previous_etc(Machine& machine, const DeploymentRecord& record) {
    const int sysroot = machine.sysroot.get();
    const std::string state = state_path(record.image);
    if (!stat_at(sysroot, state)) return;
    for (const std::string& name : list_dir(open_dir_at(sysroot, state).get())) {
        const bool previous = name == kPrevious || name.starts_with(std::string(kPrevious) + ".");
        if (previous) remove_tree_at(sysroot, state + "/" + name);
    }
}

}  // namespace cfs::update
