// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "image/erofs_reader.hpp"
#include "store/gc.hpp"
#include "update/deploy.hpp"
#include "update/verbs.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

bool is_protected(const Overview& all, const DeploymentRecord& record) {
    if (&record == all.booted || &record == all.pending || &record == all.rollback) return true;
    for (const auto& entry : all.entries) {
        const bool own = boot::same_name(entry.name.stem, record.stem);
        if (own && boot::same_name(entry.file, all.next_entry)) return true;
    }
    return false;
}

/// Beyond the kept count, oldest first; never one that runs, boots next, waits, or is the way back.
/// Those that a rollback gave up go before proven ones.
std::vector<DeploymentRecord> surplus(const Overview& all, unsigned keep) {
    std::vector<DeploymentRecord> spare;
    std::size_t kept = 0;
    for (const auto& record : all.records) {
        if (is_protected(all, record)) ++kept;
    }
    for (const auto& record : all.records) {
        if (is_protected(all, record)) continue;
        const bool given_up = all.held.count(record.image.hex()) != 0;
        if (!given_up && kept < keep) {
            ++kept;
            continue;
        }
        spare.push_back(record);
    }
    std::reverse(spare.begin(), spare.end());
    return spare;
}

std::vector<std::string> extra_roots(const Overview& all, const settings::Settings& settings) {
    std::vector<std::string> roots;
    for (const auto& record : all.records)
        roots.push_back(record.image.hex());
    if (const auto booted = booted_image(settings)) roots.push_back(booted->hex());
    return roots;
}

}  // namespace

CollectResult run_collect(Machine& machine,
                          bool dry_run,
                          ProgressSink& progress,
                          const std::stop_token& stop) {
    progress.stage("collect");
    Overview all;
    take_overview(machine, all);
    if (!all.problems.empty()) {
        throw Error(ErrorCode::StateCorrupt,
                    "nothing is collected while something cannot be read: " + all.problems.front(),
                    "mend what 'cfsctl status' shows, then try again");
    }
    CollectResult result;
    for (const auto& record : surplus(all, machine.settings.update.keep)) {
        result.deployments.push_back(record.version + " (" + record.stem + ")");
        if (!dry_run) drop_deployment(machine, record);
    }
    Overview after;
    take_overview(machine, after);
    const auto lock = machine.store().try_lock_exclusive(machine.settings.store.lock_timeout, stop);
    const store::GcReport report = store::collect_garbage(machine.store(),
                                                          lock,
                                                          extra_roots(after, machine.settings),
                                                          image::erofs_objects,
                                                          dry_run,
                                                          stop);
    result.items = report.would_remove;
    result.objects = report.objects_removed;
    result.bytes = report.bytes_removed;
    result.warnings = report.warnings;
    if (!report.held_back.empty())
        result.warnings.push_back("no object was removed: " + report.held_back);
    return result;
}

}  // namespace cfs::update
