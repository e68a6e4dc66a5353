// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "image/erofs_reader.hpp"
#include "store/gc.hpp"
#include "update/collection.hpp"
#include "update/deploy.hpp"
#include "update/recorded.hpp"
#include "update/source.hpp"
#include "update/verbs.hpp"

#include <algorithm>
#include <set>

namespace cfs::update {
namespace {

bool is_protected(const Overview& all, const DeploymentRecord& record) {
    for (const auto* needed : {all.booted, all.pending, all.proven}) {
        if (&record == needed) return true;
    }
    if (&record == all.rollback && find_hold(all.held, record) == nullptr) return true;
    for (const auto& entry : all.entries) {
        const bool own = boot::same_name(entry.name.stem, record.stem);
        if (own && boot::same_name(entry.file, all.next_entry)) return true;
    }
    return false;
}

bool contains(const std::vector<DeploymentRecord>& records, const std::string& stem) {
    return std::any_of(
        records.begin(), records.end(), [&](const auto& record) { return record.stem == stem; });
}

/// What the collector must keep, refs or not, and the refs that go with the dropped deployments.
struct Plan {
    std::vector<std::string> roots;
    std::set<std::string> gone_refs;
};

Plan plan_collection(const std::vector<DeploymentRecord>& records,
                     const std::vector<DeploymentRecord>& dropped,
                     const settings::Settings& settings) {
    Plan plan;
    for (const auto& record : dropped) {
        plan.gone_refs.insert("images/refs/" + image_pin(record.image));
        plan.gone_refs.insert("streams/refs/" + manifest_pin(record.manifest));
    }
    for (const auto& record : records) {
        if (contains(dropped, record.stem)) continue;
        plan.roots.push_back(record.image.hex());
        plan.gone_refs.erase("images/refs/" + image_pin(record.image));
        plan.gone_refs.erase("streams/refs/" + manifest_pin(record.manifest));
    }
    if (const auto booted = booted_image(settings)) plan.roots.push_back(booted->hex());
    return plan;
}

/// One that found nothing to drop is not worth remembering.
void note_result(HistoryEntry& attempt, const CollectResult& result) {
    if (result.deployments.empty() && result.objects == 0) return attempt.kind.clear();
    std::string dropped;
    for (const std::string& one : result.deployments)
        dropped += (dropped.empty() ? "" : ", ") + one;
    attempt.message = "dropped " + (dropped.empty() ? "" : dropped + "; ") +
                      std::to_string(result.objects) + " objects, " + std::to_string(result.bytes) +
                      " bytes";
}

}  // namespace

std::vector<DeploymentRecord> surplus(const Overview& all, unsigned keep) {
    std::vector<DeploymentRecord> spare;
    std::size_t kept = 0;
    for (const auto& record : all.records) {
        if (is_protected(all, record)) ++kept;
    }
    for (const auto& record : all.records) {
        if (is_protected(all, record) || record.pinned) continue;
        const bool given_up =
            record.phase == Phase::Armed || find_hold(all.held, record) != nullptr;
        if (!given_up && kept < keep) {
            ++kept;
            continue;
        }
        spare.push_back(record);
    }
    std::reverse(spare.begin(), spare.end());
    return spare;
}

void free_store(Machine& machine,
                const std::vector<DeploymentRecord>& leaving,
                const std::vector<std::string>& also_kept,
                bool dry_run,
                CollectResult& result,
                const std::stop_token& stop) {
    Plan plan = plan_collection(machine.state.deployments(), leaving, machine.settings);
    plan.roots.insert(plan.roots.end(), also_kept.begin(), also_kept.end());
    store::Repository& store = machine.store();
    const auto lock = store.try_lock_exclusive(machine.settings.store.lock_timeout, stop);
    const store::GcReport report = store::collect_garbage(
        store, lock, plan.roots, image::erofs_objects, dry_run, stop, plan.gone_refs);
    result.items = report.would_remove;
    result.objects = report.objects_removed;
    result.bytes = report.bytes_removed;
    result.warnings.insert(result.warnings.end(), report.warnings.begin(), report.warnings.end());
    if (!report.held_back.empty()) {
        result.warnings.push_back("no object was removed: " + report.held_back);
    }
}

CollectResult run_collect(Machine& machine,
                          bool dry_run,
                          ProgressSink& progress,
                          const std::stop_token& stop) {
    progress.stage("collect");
    if (!dry_run) machine.attempt.kind = "collect";
    Overview all;
    take_overview(machine, all);
    if (all.booted != nullptr) machine.attempt.from = version_of(*all.booted);
    if (!all.problems.empty()) {
        throw Error(ErrorCode::StateCorrupt,
                    "nothing is collected while something cannot be read: " + all.problems.front(),
                    "mend what 'cfsctl status' shows, then try again");
    }
    // While nobody knows which one runs, each could be it.
    const bool knows_booted = all.booted != nullptr || all.records.empty();
    const auto dropped =
        knows_booted ? surplus(all, machine.settings.update.keep) : std::vector<DeploymentRecord>();
    CollectResult result;
    if (!knows_booted) {
        result.warnings.emplace_back(
            "no deployment was dropped: what runs is none of those that are installed here");
    }
    for (const auto& record : dropped) {
        result.deployments.push_back(record.version + " (" + record.stem + ")");
        if (!dry_run) drop_deployment(machine, record);
    }
    if (!dry_run) net::prune_kept(keep_options(machine.settings), {});
    const auto leaving = dry_run ? dropped : std::vector<DeploymentRecord>();
    free_store(machine, leaving, {}, dry_run, result, stop);
    if (!dry_run) note_result(machine.attempt, result);
    return result;
}

}  // namespace cfs::update
