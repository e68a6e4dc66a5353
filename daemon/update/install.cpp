// SPDX-License-Identifier: Apache-2.0
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "update/checkout.hpp"
#include "update/deploy.hpp"
#include "update/offline.hpp"
#include "update/pull.hpp"
#include "update/recorded.hpp"
#include "update/source.hpp"
#include "update/verbs.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

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
        refuse("the ESP '" + machine.boot().location() + "' already has the boot entry '" +
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

/// Exchanging replaces the empty directory in one step.
void put_var_in_place(int sysroot, const std::string& built) {
    try {
        rename_exchange_at(sysroot, built, kVarPath);
    } catch (Error& e) {
        const int err = e.system().value();
        if (err == EBUSY || err == EXDEV) {
            e.set_hint(std::string("'") + kVarPath +
                       "' is a file system of its own: mount it after the installation, and move "
                       "the files of the installed one there");
        }
        throw;
    }
    fsync_dir_at(sysroot, split_parent(kVarPath).first);
}

/// The shared /var begins as the first image's; later images never touch it. It is built beside its
/// place: a second try never takes half of one for somebody's data.
void fill_var(Machine& machine, const image::FileTree& tree, const std::stop_token& stop) {
    const int sysroot = machine.sysroot.get();
    if (!list_dir(open_dir_at(sysroot, kVarPath).get()).empty()) return;
    const std::string work = machine.state.make_work("var");
    {
        const UniqueFd var = open_dir_at(machine.state.fd(), work);
        if (::fchmod(var.get(), 0755) != 0) throw_errno("setting a mode");
        check_out(machine.store(), tree, "var", var.get(), stop);
        sync_file_system(var.get(), machine.settings.sysroot);
    }
    crash_point("update.var-built");
    put_var_in_place(sysroot, std::string(kPrivatePath) + "/" + work);
    crash_point("update.var-made");
    machine.state.remove_work("var");
}

UpdateResult fill(Machine& machine,
                  const std::string& source,
                  ProgressSink& progress,
                  const std::stop_token& stop) {
    const settings::Settings& settings = machine.settings;
    run_reconcile(machine);
    drop_unfinished(machine);
    require_empty_target(machine);
    machine.attempt.kind = "install";
    const auto lock = machine.store().lock_shared(settings.store.lock_timeout, stop);
    OpenedSource opened(source, settings, scratch_dir(settings), stop, keep_options(settings));
    Pull pull(machine, *opened, progress, stop);
    progress.stage("check");
    (void)pull.resolve();
    const JudgedUki& judged = pull.gate(nullptr);
    machine.attempt.to = {judged.uki.osrel.version(), judged.argument.digest.hex()};
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
    result.fetched_bytes = machine.attempt.fetched = pull.fetched_bytes();
    return result;
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
    return recorded(machine, {"install", 0}, [&] { return fill(machine, source, progress, stop); });
}

}  // namespace cfs::update
