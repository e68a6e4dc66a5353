// SPDX-License-Identifier: Apache-2.0
#include "update/etc_trees.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "mount/mount_call.hpp"
#include "update/checkout.hpp"
#include "update/compose.hpp"
#include "update/etc_switch.hpp"

namespace cfs::update {
namespace {

UniqueFd make_dir(int parent, const std::string& name) {
    make_dirs_at(parent, name, 0755);
    return open_dir_at(parent, name);
}

UniqueFd open_root_of_etc(const Machine& machine) {
    UniqueFd clone = mount::clone_without_mounts(machine.sysroot.get());
    return clone ? std::move(clone) : open_dir_at(machine.sysroot.get(), ".");
}

}  // namespace

std::string etc_work_name(const std::string& key) {
    return "etc-" + key;
}

EtcTrees check_out_trees(Machine& machine,
                         const std::string& key,
                         const Digest& booted,
                         const image::FileTree* next,
                         const std::stop_token& stop) {
    EtcTrees trees;
    trees.work = machine.state.make_work(etc_work_name(key));
    const UniqueFd work = open_dir_at(machine.state.fd(), trees.work);
    trees.pristine = make_dir(work.get(), "pristine");
    check_out(
        machine.store(), load_tree(machine.store(), booted), "etc", trees.pristine.get(), stop);
    if (next != nullptr) {
        trees.next = make_dir(work.get(), "next");
        check_out(machine.store(), *next, "etc", trees.next.get(), stop);
    } else {
        trees.next = duplicate_fd(trees.pristine.get());
    }
    trees.root = open_root_of_etc(machine);
    trees.current = with_context("the running deployment's /etc", [&] {
        return open_dir_at(trees.root.get(), state_path(booted) + "/etc");
    });
    return trees;
}

etc::MergePlan plan_etc(Machine& machine, const EtcTrees& trees, const std::stop_token& stop) {
    const settings::EtcSettings& settings = machine.settings.etc;
    etc::MergePlan plan = etc::plan_merge(trees.input(), stop, etc::Rules(settings.rules));
    if (settings.on_conflict == settings::OnConflict::Stop) etc::require_no_conflicts(plan);
    return plan;
}

EtcReport describe(const etc::MergePlan& plan) {
    EtcReport out;
    for (const auto& change : plan.changes) {
        std::string line =
            "/etc/" + printable(change.path, 400) + ": " + std::string(etc::to_string(change.kind));
        if (!change.detail.empty()) line += " (" + change.detail + ")";
        out.changes.push_back(std::move(line));
    }
    for (const auto& conflict : plan.conflicts) {
        out.conflicts.push_back("/etc/" + printable(conflict.path, 400) + ": " + conflict.what +
                                "; " + conflict.resolution);
    }
    return out;
}

}  // namespace cfs::update
