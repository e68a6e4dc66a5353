// SPDX-License-Identifier: Apache-2.0
#include "update/tried_once.hpp"

#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "update/rollback_steps.hpp"
#include "update/trial.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

std::string name(const DeploymentRecord& record) {
    return "version " + printable(record.version) + " (" + record.stem + ")";
}

[[noreturn]] void refuse(const std::string& winner, const std::string& wanted) {
    throw Error(ErrorCode::DowngradeRejected,
                "the boot loader would start '" + winner + "' instead of the new '" + wanted + "'",
                "give the image a higher IMAGE_VERSION, or remove that entry, a 'default' line of "
                "loader.conf or the EFI variable LoaderEntryDefault ('bootctl set-default \"\"')");
}

std::vector<std::string> other_stems(const Machine& machine, const DeploymentRecord& own) {
    std::vector<std::string> out;
    for (const auto& record : machine.state.deployments()) {
        if (record.stem != own.stem) out.push_back(record.stem);
    }
    return out;
}

/// It is behind us, or never was: the others make place for it, in the way of a rollback.
void take_place(Machine& machine, DeploymentRecord record) {
    const auto ahead = machine.boot().ahead_of(record.stem);
    RollbackIntent intent;
    intent.target = record.stem;
    for (const auto& other : machine.state.deployments()) {
        const bool is_ahead = std::find(ahead.begin(), ahead.end(), other.stem) != ahead.end();
        if (is_ahead && other.serial < record.serial) intent.demote.push_back(other.stem);
    }
    log::info(name(record) + " is proven: the loader starts it from now on");
    machine.state.set_rollback_intent(intent);
    crash_point("update.trial-decided");
    record.tried_once = false;
    machine.state.save(record);
    carry_out_rollback(machine, intent);
}

/// The loader counts a try before it starts an entry.
bool was_tried(const DeploymentRecord& record, const boot::Counter& counter) {
    return counter.done > 0 || record.phase == Phase::Booted;
}

void settle_other(Machine& machine, const DeploymentRecord& record) {
    const std::string file = find_entry(machine.boot().list(), record.stem);
    const auto entry = boot::parse_entry_name(file);
    if (!entry || !entry->counter || entry->counter->left == 0) return;
    if (was_tried(record, *entry->counter)) {
        log::warn(name(record) + " was tried and does not run: the loader takes it last now");
        machine.boot().demote(file);
        return;
    }
    try {
        machine.boot().try_once(record.stem);
    } catch (const Error& e) {  // status shows that it is not what starts next
        log::warn(name(record) + " cannot be named to the loader: " + e.what());
    }
}

}  // namespace

Order find_order(Machine& machine, const boot::StagedUki& staged, const DeploymentRecord& record) {
    boot::UkiDescription description;
    description.sort_key = record.sort_key;
    description.version = record.version;
    description.title = record.title;
    const std::string wanted = boot::format_entry_name(staged.final_name);
    const auto winner = [&](const std::vector<std::string>& demoted) {
        return machine.boot().predict_after(staged, description, demoted);
    };
    const std::string now = winner({});
    if (boot::same_name(now, wanted)) return Order::First;
    if (!record.switched && !record.downgraded) refuse(now, wanted);
    const std::string then = winner(other_stems(machine, record));
    if (!boot::same_name(then, wanted)) refuse(then, wanted);
    const std::string why = machine.boot().why_no_trial();
    if (why.empty()) return Order::AfterTrial;
    throw Error(ErrorCode::Unsupported,
                "the boot loader starts '" + now +
                    "' by its order, and cannot be told to try the new one first: " + why,
                "mount efivarfs for writing and boot by systemd-boot, or use an image that comes "
                "first by its version");
}

void prepare_trial(Machine& machine, DeploymentRecord& record, unsigned tries) {
    const bool needs_trial =
        find_order(machine, record.staged_uki(tries), record) == Order::AfterTrial;
    if (record.tried_once != needs_trial) {
        record.tried_once = needs_trial;
        machine.state.save(record);
    }
    if (!needs_trial) return;
    machine.boot().try_once(record.stem);
    crash_point("update.trial-set");
}

void forget_trial(Machine& machine, const DeploymentRecord& record) {
    try {
        machine.boot().forget_once(record.stem);
    } catch (const Error& e) {
        log::warn(name(record) + ": " + e.what());
    }
}

void settle_trials(Machine& machine, const DeploymentRecord& booted) {
    for (const auto& record : machine.state.deployments()) {
        const bool is_armed = record.phase == Phase::Armed || record.phase == Phase::Booted;
        if (!record.tried_once || !is_armed) continue;
        if (record.proven) {
            take_place(machine, record);
        } else if (record.stem != booted.stem) {
            settle_other(machine, record);
        }
    }
}

}  // namespace cfs::update
