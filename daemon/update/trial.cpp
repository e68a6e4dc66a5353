// SPDX-License-Identifier: Apache-2.0
#include "update/trial.hpp"

#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "settings/units.hpp"
#include "update/etc_switch.hpp"
#include "update/events.hpp"
#include "update/health.hpp"
#include "update/recorded.hpp"

#include <set>

namespace cfs::update {
namespace {

constexpr const char* kSilent =
    "it did not reach boot-complete.target and left no reason: it hung, panicked or lost power; "
    "'journalctl --list-boots' shows whether it wrote a journal";

bool is_exhausted(const std::vector<boot::LoaderEntry>& entries, const DeploymentRecord& record) {
    const auto name = boot::parse_entry_name(find_entry(entries, record.stem));
    return name && name->counter && name->counter->left == 0;
}

/// The initrd knows no records, only the loader's name for the entry: its message has that.
std::optional<LastError> initrd_failure(const Machine& machine, const DeploymentRecord& record) {
    auto error = machine.state.last_error();
    const bool own = error && boot::lower_case(error->message).find("'" + record.stem + "+") !=
                                  std::string::npos;
    return own ? error : std::nullopt;
}

/// Of several tries the last that said something.
std::string reason_for(const Machine& machine, const DeploymentRecord& record) {
    auto failure = machine.state.boot_failure();
    if (failure && failure->stem != record.stem) failure.reset();
    const auto initrd = initrd_failure(machine, record);
    if (initrd && (!failure || initrd->time >= failure->time)) return initrd->message;
    return failure ? failure->reason : kSilent;
}

Fallback describe_fallback(const Machine& machine, const DeploymentRecord& record) {
    Fallback out;
    out.version = record.version;
    out.digest = record.image.hex();
    out.stem = record.stem;
    out.reason = reason_for(machine, record);
    out.time = unix_seconds(machine.clock);
    out.serial = record.serial;
    return out;
}

void hold_failed(Machine& machine,
                 const DeploymentRecord& record,
                 const DeploymentRecord& booted,
                 bool newest) {
    const Fallback fallback = describe_fallback(machine, record);
    // Before the hold, which is what is looked at: a crash between them repeats this.
    if (newest) machine.state.set_fallback(fallback);
    crash_point("update.fallback-noted");
    HistoryEntry entry;
    entry.kind = "fallback";
    entry.result = "done";
    entry.from = version_of(record);
    entry.to = version_of(booted);
    entry.message = fallback.reason;
    record_event(machine, {"boot", 0}, std::move(entry));
    hold_and_tell(machine, hold_key(record, booted), record, kHeldFailed);
    log::Fields fields = fields_of(record, fallback.reason);
    fields.push_back({"CFSUPDATED_RUNNING_VERSION", printable(booted.version)});
    log::event(kEventFallback,
               log::Level::Error,
               "version " + printable(record.version) + " did not come up, it is held; version " +
                   printable(booted.version) + " runs: " + fallback.reason + " " + name_of(record),
               fields);
}

/// What is behind us: the system that runs is as new as what failed.
void forget_failures(const Machine& machine, const DeploymentRecord& booted) {
    const auto fallback = machine.state.fallback();
    if (fallback && fallback->serial <= booted.serial) machine.state.set_fallback(std::nullopt);
    const auto failure = machine.state.boot_failure();
    if (failure && failure->stem == booted.stem) machine.state.set_boot_failure(std::nullopt);
}

/// It came up in the end, perhaps chosen by hand.
void release_failed(const Machine& machine, const DeploymentRecord& booted) {
    std::vector<std::string> problems;
    const auto held = machine.state.held(problems);
    const std::string* why = find_hold(held, booted);
    if (problems.empty() && why != nullptr && *why == kHeldFailed) machine.state.release(booted);
}

}  // namespace

std::string name_of(const DeploymentRecord& record) {
    return "version=" + printable(record.version) + " stem=" + record.stem +
           " image=" + record.image.hex();
}

void hold_and_tell(const Machine& machine,
                   const Digest& key,
                   const DeploymentRecord& record,
                   std::string_view reason) {
    const auto before = machine.state.held();
    machine.state.hold(key, reason);
    const auto known = before.find(key.hex());
    if (known != before.end() && known->second == reason) return;
    log::event(kEventHeld,
               log::Level::Warn,
               "version " + printable(record.version) + " is held (" + std::string(reason) +
                   "): it is not installed by itself any more",
               fields_of(record, reason));
}

void note_proven(Machine& machine, DeploymentRecord booted) {
    drop_previous_etc(machine, booted);
    forget_failures(machine, booted);
    release_failed(machine, booted);
    std::vector<std::string> problems;
    if (machine.state.floor(problems) < booted.security_version && problems.empty()) {
        machine.state.raise_floor(booted.security_version);
        log::info("the floor is now " + std::to_string(booted.security_version));
    }
    if (booted.proven) return;
    HistoryEntry entry;
    entry.kind = "proven";
    entry.result = "done";
    entry.to = version_of(booted);
    record_event(machine, {"boot", 0}, std::move(entry));
    booted.proven = true;
    machine.state.save(booted);
    log::event(kEventProven,
               log::Level::Info,
               "version " + printable(booted.version) + " is proven " + name_of(booted),
               fields_of(booted));
}

void release_wanted(const Machine& machine, DeploymentRecord& record) {
    if (!record.wanted) return;
    try {
        const auto held = machine.state.held();
        for (const Digest& key : {record.authenticode, record.image}) {
            const auto found = held.find(key.hex());
            if (found == held.end()) continue;
            record.released_key = found->first;
            record.released_reason = found->second;
        }
        machine.state.save(record);
        machine.state.release(record);
    } catch (const Error& e) {  // it is on the ESP already, and a hold is for automation
        log::warn(std::string("the hold stays: ") + e.what());
    }
    record.wanted = false;
}

void hold_again(const Machine& machine, const DeploymentRecord& record) {
    const auto key = Digest::from_hex(record.released_key);
    if (!key) return;
    try {
        hold_and_tell(machine, *key, record, record.released_reason);
    } catch (const Error& e) {  // a removal that does not end would stop every verb
        log::warn("version " + printable(record.version) + " cannot be held again: " + e.what());
    }
}

void note_failed(Machine& machine,
                 const std::vector<DeploymentRecord>& records,
                 const DeploymentRecord& booted) {
    std::vector<std::string> problems;
    const auto held = machine.state.held(problems);
    if (!problems.empty()) return;  // status says so; a rollback must still be possible
    const auto entries = machine.boot().list();
    std::set<std::string> seen;  // what was installed again since
    bool newest = true;
    for (const auto& record : records) {
        const bool again = !seen.insert(hold_key(record, booted).hex()).second;
        if (again || record.serial <= booted.serial || record.same_update(booted)) continue;
        if (!is_exhausted(entries, record)) continue;
        if (find_hold(held, record) == nullptr) hold_failed(machine, record, booted, newest);
        newest = false;
    }
}

std::optional<Fallback> find_fallback(const std::optional<Fallback>& noticed,
                                      const DeploymentRecord& booted) {
    return noticed && noticed->serial > booted.serial ? noticed : std::nullopt;
}

void require_proven(const Machine& machine, const Overview& all, const DeploymentRecord& booted) {
    if (is_proven(all, booted)) return;
    const auto deadline = machine.settings.health.deadline;
    if (time_to_deadline(machine.settings, machine.clock).count() == 0) return;
    throw Error(ErrorCode::SlotNotProven,
                "version " + printable(booted.version) +
                    " runs on trial: it has not passed its health checks yet",
                "try again when 'cfsctl status' shows it as proven, or " +
                    settings::format_duration(deadline) +
                    " after the boot; 'cfsctl update --image' does not wait");
}

}  // namespace cfs::update
