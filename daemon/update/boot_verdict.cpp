// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/log.hpp"
#include "settings/units.hpp"
#include "update/boot_files.hpp"
#include "update/events.hpp"
#include "update/health.hpp"
#include "update/trial.hpp"
#include "update/tried_once.hpp"
#include "update/verbs.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

/// Longer than any job of the daemon; the unit has a limit of its own.
constexpr std::chrono::hours kPatience{6};

/// The most tries that a slot can have (boot.tries): whatever the loader does or does not count,
/// no more starts than these are asked for.
constexpr std::uint64_t kMaxReboots = 9;

const DeploymentRecord& booted_of(const settings::Settings& settings,
                                  const std::vector<DeploymentRecord>& records) {
    if (const auto* booted = find_booted(settings, records)) return *booted;
    throw Error(ErrorCode::NotFound,
                "the running system is none of the deployments that are installed here",
                "boot one of them; 'cfsctl status' lists them");
}

bool is_soft(const settings::Settings& settings) {
    const auto record = initrd_record(settings);
    return record && record->soft;
}

/// By its own record, or by its entry where the ESP can be read: a boot that failed may be one in
/// which it cannot.
bool is_known_good(Machine& machine, const DeploymentRecord& record) {
    if (record.proven) return true;
    try {
        const auto name = boot::parse_entry_name(find_entry(machine.boot().list(), record.stem));
        return name && !name->counter;
    } catch (const Error&) {
        return false;
    }
}

/// An ESP that cannot be read now may be one for the loader: then the record is believed.
bool has_good_entry(Machine& machine, const DeploymentRecord& record) {
    try {
        const auto name = boot::parse_entry_name(find_entry(machine.boot().list(), record.stem));
        return name && !(name->counter && name->counter->left == 0);
    } catch (const Error&) {
        return true;
    }
}

bool has_way_back(Machine& machine,
                  const std::vector<DeploymentRecord>& records,
                  const DeploymentRecord& booted) {
    std::vector<std::string> problems;
    const auto held = machine.state.held(problems);
    return std::any_of(records.begin(), records.end(), [&](const auto& record) {
        return record.stem != booted.stem && record.phase == Phase::Booted &&
               find_hold(held, record) == nullptr && is_known_good(machine, record) &&
               has_good_entry(machine, record);
    });
}

/// Does a start of it end somewhere? Behind a soft reboot the loader has not begun to count; an ESP
/// that cannot be read now had its entry when the soft reboot was planned.
bool is_counted(Machine& machine, const DeploymentRecord& booted) {
    if (!is_soft(machine.settings)) {
        const auto counted = boot::parse_entry_name(counted_entry(machine.settings));
        return counted && boot::same_name(counted->stem, booted.stem);
    }
    try {
        const auto name = boot::parse_entry_name(find_entry(machine.boot().list(), booted.stem));
        return name && name->counter;
    } catch (const Error&) {
        return true;
    }
}

/// Why starting again would not help; empty when it would.
std::string why_it_stays(Machine& machine,
                         const std::vector<DeploymentRecord>& records,
                         const DeploymentRecord& booted,
                         std::uint64_t reboots) {
    if (is_known_good(machine, booted)) return "this version is proven";
    if (!is_counted(machine, booted))
        return "the boot loader does not count the tries of this entry";
    if (!has_way_back(machine, records, booted))
        return "there is no proven version to fall back to";
    if (reboots >= kMaxReboots)
        return "it was started again " + std::to_string(reboots) + " times already";
    if (!machine.settings.health.reboot) return "'health.reboot' is off";
    return {};
}

std::string default_reason(const settings::Settings& settings, const Clock& clock) {
    const std::string failed = failed_checks(settings);
    if (!failed.empty()) return "its health checks failed: " + failed;
    if (time_to_deadline(settings, clock).count() > 0)
        return "boot-complete.target was not reached: another unit that it needs failed";
    return "boot-complete.target was not reached within " +
           settings::format_duration(settings.health.deadline);
}

/// Starting again matters more than remembering why.
template <typename F>
void keep_quietly(const char* what, F&& keep) {
    try {
        keep();
    } catch (const std::exception& e) {
        log::error(std::string("boot-failed: ") + what + " cannot be kept: " + e.what());
    }
}

/// For loaders that count and systems in which nobody ends that.
void bless(Machine& machine, const DeploymentRecord& booted) {
    const std::string file = find_entry(machine.boot().list(), booted.stem);
    const auto name = boot::parse_entry_name(file);
    if (!name || !name->counter) return;
    log::info("mark-good: the entry has a counter still, it is dropped file=" + file);
    machine.boot().bless(file);
}

}  // namespace

GoodBoot mark_good(const settings::Settings& settings, const Clock& clock) {
    Machine machine(settings, clock);
    const UniqueFd lock = wait_for_lock(machine.state, kPatience);
    run_reconcile(machine);
    const auto records = machine.state.deployments();
    const DeploymentRecord& booted = booted_of(settings, records);
    // No firmware has started it: its tries stay for that.
    if (is_soft(settings)) return {booted.version, booted.proven};
    bless(machine, booted);
    note_proven(machine, booted);
    settle_trials(machine, booted);
    return {booted.version, true};
}

FailedBoot note_failed_boot(const settings::Settings& settings,
                            const std::string& reason,
                            const Clock& clock) {
    Machine machine(settings, clock);
    const auto records = machine.state.deployments();
    const DeploymentRecord& booted = booted_of(settings, records);
    const auto before = machine.state.boot_failure();
    BootFailure failure;
    failure.stem = booted.stem;
    failure.reason = reason.empty() ? default_reason(settings, clock) : reason;
    failure.time = unix_seconds(clock);
    if (before && before->stem == booted.stem) failure.reboots = before->reboots;
    FailedBoot out{booted.version, failure.reason, {}};
    out.stays = why_it_stays(machine, records, booted, failure.reboots);
    if (out.stays.empty()) ++failure.reboots;
    if (!reason.empty())
        keep_quietly("this boot's reason", [&] { keep_check_result(settings, reason); });
    keep_quietly("the reason", [&] {
        machine.state.set_boot_failure(failure);
        sync_file_system(machine.sysroot.get(), settings.sysroot);
    });
    log::event(kEventBootFailed,
               log::Level::Error,
               "this boot of version " + printable(booted.version) + " failed: " + out.reason +
                   (out.stays.empty() ? "; the machine starts again"
                                      : "; the machine stays, because " + out.stays),
               fields_of(booted, out.reason));
    return out;
}

std::chrono::milliseconds time_to_deadline(const settings::Settings& settings, const Clock& clock) {
    const auto up =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady().time_since_epoch());
    return std::max(settings.health.deadline - (up - userspace_since(settings)),
                    std::chrono::milliseconds{0});
}

}  // namespace cfs::update
