// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/crash_point.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "etc/accounts.hpp"
#include "update/compose.hpp"
#include "update/etc_diff.hpp"
#include "update/etc_switch.hpp"
#include "update/etc_trees.hpp"
#include "update/rollback_guard.hpp"
#include "update/selection.hpp"
#include "update/verbs.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

constexpr std::string_view kEtc = "/etc/";

/// "/etc/ssh/" -> "ssh". \throws InvalidArgs for what is no path below /etc
std::string path_below_etc(const std::string& given) {
    std::string path = given.starts_with(kEtc) ? given.substr(kEtc.size()) : given;
    while (path.ends_with('/'))
        path.pop_back();
    bool plain = !path.empty() && path.front() != '/';
    for (const char* odd : {"//", "/./", "/../"})
        plain = plain && ("/" + path + "/").find(odd) == std::string::npos;
    if (plain) return path;
    throw Error(ErrorCode::InvalidArgs,
                "'" + printable(given, 200) + "' names nothing below /etc",
                "give a path such as /etc/ssh/sshd_config or ssh/sshd_config");
}

bool is_below(const std::string& path, const std::string& top) {
    return top.empty() || path == top || path.starts_with(top + "/");
}

/// The deployment whose /etc would be merged in; nullptr: the running one's own.
const DeploymentRecord* find_target(const Overview& all, const std::string& wanted) {
    if (wanted.empty()) return all.pending;
    const auto found = select_deployments(all, wanted);
    if (found.size() == 1) return found.front();
    throw Error(ErrorCode::InvalidArgs,
                "'" + printable(wanted, 200) + "' means several deployments",
                "name one by its digest; 'cfsctl status' shows them");
}

/// What merging would leave, written below work/.
UniqueFd write_result(Machine& machine,
                      const EtcTrees& trees,
                      const etc::MergePlan& plan,
                      const std::stop_token& stop) {
    const std::string path = trees.work + "/merged";
    make_dirs_at(machine.state.fd(), path, 0700);
    UniqueFd out = open_dir_at(machine.state.fd(), path);
    etc::apply_merge(plan, trees.input(), out.get(), stop);
    return out;
}

void keep_below(const std::string& path, etc::MergePlan& plan) {
    std::erase_if(plan.changes, [&](const auto& change) { return !is_below(change.path, path); });
    std::erase_if(plan.conflicts, [&](const auto& one) { return !is_below(one.path, path); });
}

[[noreturn]] void refuse(const std::string& path, const std::string& why, std::string hint) {
    throw Error(ErrorCode::InvalidArgs, "/etc/" + printable(path, 400) + why, std::move(hint));
}

/// What would take more with it than the path itself.
void require_restorable(const EtcTrees& trees, const std::string& path) {
    if (!etc::account_main_file(path).empty()) {
        refuse(path,
               " holds this machine's accounts, not only the image's",
               "change single accounts, for example with usermod(8)");
    }
    const auto vendors = stat_at(trees.pristine.get(), path);
    if (!vendors) {
        throw Error(ErrorCode::NotFound,
                    "the running image has no /etc/" + printable(path, 400),
                    "it was made on this machine: remove it if it is not wanted");
    }
    const auto local = stat_at(trees.current.get(), path);
    if (local && S_ISDIR(local->st_mode)) {
        refuse(path,
               " is a directory, in which there may be more than the image's files",
               "'cfsctl etc diff " + printable(path, 400) + "' lists what differs: restore those");
    }
    const auto [parent, name] = split_parent(path);
    const auto around = stat_at(trees.current.get(), parent);
    if (!around || !S_ISDIR(around->st_mode)) {
        throw Error(ErrorCode::NotFound,
                    "there is no directory /etc/" + printable(parent, 400),
                    "restore that one first");
    }
}

/// Durable on return; what was there before goes with the work folder.
void exchange(const EtcTrees& trees, const std::string& place, const std::string& path) {
    const std::string from = std::string(kPrivatePath) + "/" + trees.work + "/pristine/" + path;
    const std::string to = place + "/etc/" + path;
    sync_file_system(trees.root.get(), "the state directory");
    crash_point("update.etc-restoring");
    if (stat_at(trees.root.get(), to)) {
        rename_exchange_at(trees.root.get(), from, to);
    } else {
        rename_noreplace_at(trees.root.get(), from, to);
    }
    fsync_dir_at(trees.root.get(), split_parent(to).first);
    crash_point("update.etc-restored");
}

}  // namespace

EtcPreview run_preview_etc(Machine& machine,
                           const EtcPreviewOptions& options,
                           ProgressSink& progress,
                           const std::stop_token& stop) {
    progress.stage("preview");
    const std::string path = options.path.empty() ? "" : path_below_etc(options.path);
    Overview all;
    take_overview(machine, all);
    const DeploymentRecord& booted = require_booted(all);
    const DeploymentRecord* target = find_target(all, options.deployment);
    if (target == nullptr) target = &booted;
    const auto lock = machine.store().lock_shared(machine.settings.store.lock_timeout, stop);
    EtcPreview out;
    out.deployment = display_name(*target);
    out.local_only = target->image == booted.image;
    std::optional<image::FileTree> next;
    if (!out.local_only) next = load_tree(machine.store(), target->image);
    const std::string key = "preview";
    const RollbackGuard sweep([&] { machine.state.remove_work(etc_work_name(key)); });
    const EtcTrees trees =
        check_out_trees(machine, key, booted.image, next ? &*next : nullptr, stop);
    // Local changes are what they are, whatever rules an update goes by.
    const etc::Rules rules = out.local_only ? etc::Rules() : etc::Rules(machine.settings.etc.rules);
    etc::MergePlan plan = etc::plan_merge(trees.input(), stop, rules);
    std::optional<UniqueFd> result;
    if (options.texts && !out.local_only) result = write_result(machine, trees, plan, stop);
    keep_below(path, plan);
    if (options.texts) {
        out.diff = result
                       ? diff_trees(plan.changes, trees.current.get(), result->get(), stop)
                       : diff_trees(plan.changes, trees.pristine.get(), trees.current.get(), stop);
    }
    out.changes = std::move(plan.changes);
    out.conflicts = std::move(plan.conflicts);
    return out;
}

EtcRestored run_restore_etc(Machine& machine,
                            const std::string& given,
                            ProgressSink& progress,
                            const std::stop_token& stop) {
    progress.stage("restore");
    EtcRestored out;
    out.path = path_below_etc(given);
    Overview all;
    take_overview(machine, all);
    const Digest image = require_booted(all).image;
    const auto lock = machine.store().lock_shared(machine.settings.store.lock_timeout, stop);
    const std::string key = "restore";
    const RollbackGuard sweep([&] { machine.state.remove_work(etc_work_name(key)); });
    const EtcTrees trees = check_out_trees(machine, key, image, nullptr, stop);
    require_restorable(trees, out.path);
    const etc::MergePlan local = etc::plan_merge(trees.input(), stop);
    const auto found = std::find_if(local.changes.begin(),
                                    local.changes.end(),
                                    [&](const auto& change) { return change.path == out.path; });
    if (found == local.changes.end()) return out;
    out.was = to_string(found->kind);
    exchange(trees, state_path(image), out.path);
    out.done = true;
    return out;
}

}  // namespace cfs::update
