// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/heap.hpp"
#include "base/log.hpp"
#include "update/compose.hpp"
#include "update/deploy.hpp"
#include "update/etc_switch.hpp"
#include "update/etc_trees.hpp"
#include "update/rollback_guard.hpp"
#include "update/trial.hpp"
#include "update/tried_once.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace cfs::update {
namespace {

/// /etc is in use while it is merged.
constexpr int kMergeAttempts = 5;

/// A tree that was merged below work/, and what was merged.
struct Merged {
    std::string path;  ///< below the sysroot
    EtcReport report;
};

/// One try: plans and writes the merged tree.
Merged write_merged(Machine& machine, const EtcTrees& trees, const std::stop_token& stop) {
    const etc::MergePlan plan = plan_etc(machine, trees, stop);
    Merged merged;
    merged.path = std::string(kPrivatePath) + "/" + trees.work + "/merged";
    remove_tree_at(machine.sysroot.get(), merged.path);
    make_dirs_at(machine.sysroot.get(), merged.path, 0755);
    const UniqueFd out = open_dir_at(machine.sysroot.get(), merged.path);
    etc::apply_merge(plan, trees.input(), out.get(), stop);
    sync_file_system(out.get(), machine.settings.sysroot);
    merged.report = describe(plan);
    return merged;
}

/// Somebody wrote to /etc while it was read: what they wrote counts.
bool changed_meanwhile(const Error& e) {
    return e.code() == ErrorCode::Busy || e.code() == ErrorCode::NotFound;
}

Merged merge_trees(Machine& machine, const EtcTrees& trees, const std::stop_token& stop) {
    for (int attempt = 1;; ++attempt) {
        try {
            return write_merged(machine, trees, stop);
        } catch (const Error& e) {
            if (!changed_meanwhile(e) || attempt == kMergeAttempts) throw;
        }
    }
}

EtcReport merge_etc(Machine& machine,
                    DeploymentRecord& record,
                    const DeploymentRecord& booted,
                    const std::stop_token& stop) {
    if (record.image == booted.image) return {};
    const image::FileTree next = load_tree(machine.store(), record.image);
    const RollbackGuard sweep([&] { machine.state.remove_work(etc_work_name(record.stem)); });
    const EtcTrees trees = check_out_trees(machine, record.stem, booted.image, &next, stop);
    Merged merged = merge_trees(machine, trees, stop);
    for (const std::string& conflict : merged.report.conflicts)
        log::warn("merging /etc: " + conflict);
    crash_point("update.etc-merged");
    switch_etc(machine, record, merged.path);
    return std::move(merged.report);
}

void require_not_held(Machine& machine, const DeploymentRecord& record) {
    const auto held = machine.state.held();
    const std::string* why = find_hold(held, record);
    if (why == nullptr || record.wanted) return;
    throw Error(ErrorCode::DowngradeRejected,
                "version " + printable(record.version) + " is held (" + *why + ")",
                "name it with 'cfsctl update --image' to install it anyway");
}

/// What was true when it was staged may not be any more (design 5.3): everything is looked at
/// again.
void check_again(Machine& machine,
                 const DeploymentRecord& record,
                 const DeploymentRecord* booted,
                 unsigned tries,
                 const std::stop_token& stop) {
    trim_heap();  // of the trees that were compared: the whole UKI is mapped now
    const JudgedUki judged = judge_uki(machine, record.uki_object, booted, allowed_for(record));
    if (judged.sha256 != record.uki_sha256 || judged.argument.digest != record.image) {
        throw Error(ErrorCode::StateCorrupt,
                    "the staged UKI in the store is not the one that was recorded",
                    "run 'cfsctl store fsck', then 'cfsctl update' again");
    }
    if (!machine.store().has_image(record.image)) {
        throw Error(ErrorCode::StateCorrupt,
                    "the image " + record.image.hex() + " is missing or damaged in the store",
                    "run 'cfsctl store fsck', then 'cfsctl update' again");
    }
    measure_objects(machine.store(), load_image(machine.store(), record.image), stop);
    trim_heap();  // of the image, before what comes next takes its own
    for (const std::string& name : {std::string("etc"), std::string("var")}) {
        if (stat_at(machine.sysroot.get(), state_path(record.image) + "/" + name)) continue;
        throw Error(ErrorCode::StateCorrupt,
                    "'" + state_path(record.image) + "/" + name + "' is missing",
                    "run 'cfsctl update' again");
    }
    require_not_held(machine, record);
    const boot::StagedUki staged = record.staged_uki(tries);
    machine.boot().verify(staged);
    (void)find_order(machine, staged, record);
}

}  // namespace

etc::MergePlan preview_etc(Machine& machine,
                           const DeploymentRecord& record,
                           const DeploymentRecord& booted,
                           const image::FileTree& next,
                           const std::stop_token& stop) {
    if (record.image == booted.image) return {};
    const RollbackGuard sweep([&] { machine.state.remove_work(etc_work_name(record.stem)); });
    const EtcTrees trees = check_out_trees(machine, record.stem, booted.image, &next, stop);
    return plan_etc(machine, trees, stop);
}

EtcReport finalize_deployment(Machine& machine,
                              DeploymentRecord record,
                              const DeploymentRecord* booted,
                              unsigned tries,
                              const std::stop_token& stop) {
    RollbackGuard undo([&] { drop_deployment(machine, record); });
    check_again(machine, record, booted, tries, stop);
    record.phase = Phase::Finalizing;
    machine.state.save(record);
    crash_point("update.finalizing");
    EtcReport report;
    if (booted != nullptr) report = merge_etc(machine, record, *booted, stop);
    crash_point("update.before-arm");
    // A merge took its time, and the rename cannot be taken back.
    if (booted != nullptr) check_again(machine, record, booted, tries, stop);
    prepare_trial(machine, record, tries);
    machine.boot().arm(record.staged_uki(tries));
    // From here on it is the new one: a failure below must not take it away again.
    undo.dismiss();
    release_wanted(machine, record);
    record.phase = Phase::Armed;
    machine.state.save(record);
    crash_point("update.armed");
    keep_etc(machine, record);
    machine.state.set_finalize_failure(std::nullopt);
    return report;
}

EtcReport merge_again(Machine& machine,
                      DeploymentRecord record,
                      const DeploymentRecord& booted,
                      const std::stop_token& stop) {
    RollbackGuard undo([&] { drop_deployment(machine, record); });
    const auto lock = machine.store().lock_shared(machine.settings.store.lock_timeout, stop);
    EtcReport report = merge_etc(machine, record, booted, stop);
    undo.dismiss();
    keep_etc(machine, record);
    machine.state.set_finalize_failure(std::nullopt);
    return report;
}

}  // namespace cfs::update
