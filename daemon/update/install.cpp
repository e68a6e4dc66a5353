// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "update/checkout.hpp"
#include "update/deploy.hpp"
#include "update/offline.hpp"
#include "update/pull.hpp"
#include "update/source.hpp"
#include "update/verbs.hpp"

#include <fcntl.h>

#include <algorithm>

namespace cfs::update {
namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorCode::Busy,
                what + ": install only fills an empty target",
                "use 'cfsctl update' on an installed system, or give an empty --sysroot and --esp");
}

/// What an interrupted installation staged, nothing could ever finalize: that needs a system that
/// runs. It begins anew.
void drop_unfinished(Machine& machine) {
    const auto records = machine.state.deployments();
    const auto is_staged = [](const auto& record) { return record.phase == Phase::Staged; };
    if (!std::all_of(records.begin(), records.end(), is_staged)) return;
    for (const auto& record : records)
        drop_deployment(machine, record);
}

void require_empty_target(Machine& machine) {
    const auto deploy = find_at(machine.sysroot.get(), kDeployPath, O_RDONLY | O_DIRECTORY);
    if (deploy && !list_dir(deploy->get()).empty()) {
        refuse("'" + machine.settings.sysroot + "/" + kDeployPath + "' already holds a deployment");
    }
    for (const auto& entry : machine.boot().list()) {
        refuse("the ESP '" + machine.settings.esp + "' already has the boot entry '" +
               printable(entry.file) + "'");
    }
}

void make_skeleton(const settings::Settings& settings, int sysroot) {
    make_dirs_at(sysroot, kStorePath, 0700);
    make_dirs_at(sysroot, kDeployPath, 0755);
    make_dirs_at(sysroot, kVarPath, 0755);
    const UniqueFd store = open_dir_at(sysroot, kStorePath);
    store::Repository::init(store.get(), settings.store.hash, verity_policy(settings.store.verity));
}

/// The shared /var begins as the first image's; later images never touch it.
void fill_var(Machine& machine, const image::FileTree& tree, const std::stop_token& stop) {
    const UniqueFd var = open_dir_at(machine.sysroot.get(), kVarPath);
    if (list_dir(var.get()).empty()) check_out(machine.store(), tree, "var", var.get(), stop);
}

}  // namespace

UpdateResult install(const std::string& source,
                     const settings::Settings& settings,
                     ProgressSink& progress,
                     const std::stop_token& stop,
                     const Clock& clock) {
    Machine machine(settings, clock);
    const UniqueFd own = machine.state.lock();
    make_skeleton(settings, machine.sysroot.get());
    run_reconcile(machine);
    drop_unfinished(machine);
    require_empty_target(machine);
    const auto lock = machine.store().lock_shared(settings.store.lock_timeout, stop);
    OpenedSource opened(source, settings, settings.sysroot + "/" + kPrivatePath + "/work", stop);
    Pull pull(machine, *opened, progress, stop);
    progress.stage("check");
    (void)pull.resolve();
    (void)pull.gate(nullptr);
    pull.fetch();
    (void)pull.compose(nullptr);
    progress.stage("stage");
    fill_var(machine, pull.composed().tree, stop);
    DeploymentRecord record = make_record(machine, pull);
    stage_deployment(machine, record, pull, 0, stop);
    progress.stage("finalize");
    (void)finalize_deployment(machine, record, nullptr, 0, stop);
    Overview all;
    take_overview(machine, all);
    UpdateResult result;
    result.outcome = UpdateOutcome::Finalized;
    result.deployment = describe(all, all.records.at(0));
    result.fetched_bytes = pull.fetched_bytes();
    return result;
}

}  // namespace cfs::update
