// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "health/checks.hpp"
#include "update/boot_files.hpp"
#include "update/etc_switch.hpp"
#include "update/health.hpp"
#include "update/verbs.hpp"

#include <sys/stat.h>

#include <sstream>

namespace cfs::update {
namespace {

constexpr std::size_t kMaxLine = 400;
constexpr std::string_view kComposefs = "composefs:";

/// Collects what is wrong; a check that passes says nothing.
class Findings {
 public:
    explicit Findings(BootReport& report) : report_(report) {}

    template <typename F>
    void required(const char* name, F&& check) {
        try {
            check();
            ++report_.passed;
        } catch (const std::exception& e) {
            report_.failed.push_back(std::string(name) + ": " + e.what());
        }
    }

 private:
    BootReport& report_;
};

void check_root(const settings::Settings& settings, const Digest& image) {
    for (const std::string& source : root_sources(settings)) {
        if (!source.starts_with(kComposefs)) continue;
        if (source == root_source(image)) return;
        throw Error(ErrorCode::DigestMismatch,
                    "'" + printable(source, 200) + "' is mounted, expected " + image.hex());
    }
    throw Error(ErrorCode::NotFound, "no composefs image is mounted at /");
}

/// The entry that the loader says it started, and what runs, are of one deployment.
void check_slot(const Overview& all, const DeploymentRecord& booted, const std::string& selected) {
    const auto name = boot::parse_entry_name(selected);
    for (const auto& record : all.records) {
        if (!name || !boot::same_name(name->stem, record.stem) || &record == &booted) continue;
        throw Error(ErrorCode::DigestMismatch,
                    "the loader started '" + selected + "', whose image is " + record.image.hex() +
                        ", but " + booted.image.hex() + " runs");
    }
}

void check_store(Machine& machine, const Digest& image) {
    if (machine.store().has_image(image)) return;
    throw Error(ErrorCode::StateCorrupt,
                "the image " + image.hex() + " is missing or damaged in the store");
}

void check_esp(const Overview& all, const DeploymentRecord& booted) {
    for (const auto& entry : all.entries) {
        if (!boot::same_name(entry.name.stem, booted.stem)) continue;
        if (entry.readable) return;
        throw Error(ErrorCode::Io, "'" + entry.file + "': " + entry.problem);
    }
    throw Error(
        ErrorCode::NotFound,
        all.problems.empty() ? "'" + booted.stem + "' has no entry on it" : all.problems.front());
}

/// Is this the directory that the merge ended in?
void check_etc(const Machine& machine, const DeploymentRecord& booted, const std::string& etc) {
    const auto own = stat_at(machine.sysroot.get(), state_path(booted.image) + "/etc");
    if (!own) throw Error(ErrorCode::NotFound, "the deployment has none of its own");
    if (booted.phase == Phase::Finalizing ||
        (booted.merged_inode != 0 && own->st_ino != booted.merged_inode))
        throw Error(ErrorCode::StateCorrupt, "its merge was not finished");
    const auto record = initrd_record(machine.settings);
    if (!record || record->etc != "bind") return;
    struct stat mounted {};
    if (::stat(etc.c_str(), &mounted) != 0) throw_errno("reading '" + etc + "'");
    if (mounted.st_ino != own->st_ino || mounted.st_dev != own->st_dev)
        throw Error(ErrorCode::StateCorrupt, "what is mounted is not the deployment's own");
}

/// As every verb begins, so that what a crash left is not taken for a failure. Somebody who holds
/// the lock has done so.
void reconcile_in_time(Machine& machine, std::chrono::milliseconds patience) {
    std::optional<UniqueFd> lock;
    try {
        lock = wait_for_lock(machine.state, patience);
    } catch (const Error& e) {
        if (e.code() != ErrorCode::Busy) throw;
        log::warn(std::string("boot-check: goes on without order: ") + e.what());
        return;
    }
    run_reconcile(machine);
}

void check_system(const settings::Settings& settings,
                  const Clock& clock,
                  const BootPlaces& places,
                  BootReport& report) {
    Findings findings(report);
    std::optional<Machine> machine;
    Overview all;
    const DeploymentRecord* booted = nullptr;
    findings.required("the running deployment", [&] {
        machine.emplace(settings, clock);
        take_overview(*machine, all);
        booted = &require_booted(all);
    });
    if (booted == nullptr) return;
    const auto initrds = initrd_record(settings);
    // What the loader started is what a soft reboot left.
    if (!initrds || !initrds->soft)
        findings.required("the boot entry",
                          [&] { check_slot(all, *booted, selected_entry(settings)); });
    if (!initrds)
        report.warnings.emplace_back(
            "another initrd mounted the root: what is mounted cannot be compared");
    if (initrds) findings.required("the root", [&] { check_root(settings, booted->image); });
    findings.required("the store", [&] { check_store(*machine, booted->image); });
    findings.required("the EFI system partition", [&] { check_esp(all, *booted); });
    findings.required("/etc", [&] { check_etc(*machine, *booted, places.etc); });
}

void log_output(const std::string& name, const std::string& output) {
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);)
        log::warn("boot-check: " + name + ": " + printable(line, kMaxLine));
}

void run_programs(const settings::HealthSettings& health, BootReport& report) {
    for (const auto& check : health::find_checks(health.directories, report.warnings)) {
        const auto result = health::run_check(check, health.check_timeout);
        const std::string name = "'" + printable(check.name) + "'";
        log::info("boot-check: " + name + (result.passed ? " passed" : " failed"));
        if (result.passed) {
            ++report.passed;
            continue;
        }
        log_output(name, result.output);
        (check.required ? report.failed : report.warnings).push_back(name + " " + result.why);
    }
}

void put_in_order(const settings::Settings& settings,
                  const Clock& clock,
                  const BootPlaces& places,
                  BootReport& report) {
    Findings(report).required("what the last run left", [&] {
        Machine machine(settings, clock);
        reconcile_in_time(machine, places.patience);
    });
}

}  // namespace

std::string BootReport::failed_line() const {
    std::string out;
    for (const std::string& one : failed)
        out += (out.empty() ? "" : "; ") + one;
    return out;
}

BootReport check_boot(const settings::Settings& settings,
                      const Clock& clock,
                      const BootPlaces& places) {
    BootReport report;
    put_in_order(settings, clock, places, report);
    check_system(settings, clock, places, report);
    run_programs(settings.health, report);
    keep_check_result(settings, report.failed_line());
    return report;
}

}  // namespace cfs::update
