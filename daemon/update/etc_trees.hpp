// SPDX-License-Identifier: Apache-2.0
/// \file The three trees of a merge of /etc.
#pragma once

#include "etc/merge.hpp"
#include "image/tree.hpp"
#include "update/machine.hpp"

#include <stop_token>
#include <string>

namespace cfs::update {

/// Two trees checked out below work/, and the booted deployment's own /etc. That one as its file
/// system has it: what a merged confext or a container mounted over it is not the deployment's, and
/// a shared bind mount shows it below the sysroot too.
struct EtcTrees {
    std::string work;  ///< below the state folder
    UniqueFd root;     ///< the sysroot without what is mounted below it
    UniqueFd pristine, current, next;

    [[nodiscard]] etc::MergeInput input() const {
        return {pristine.get(), current.get(), next.get()};
    }
};

/// \param key names the work folder, which the caller removes with remove_work(work_name(key))
/// \param next nullptr: the old image's own, so that a plan shows what is local and nothing else
[[nodiscard]] EtcTrees check_out_trees(Machine& machine,
                                       const std::string& key,
                                       const Digest& booted,
                                       const image::FileTree* next,
                                       const std::stop_token& stop);

[[nodiscard]] std::string etc_work_name(const std::string& key);

/// A plan by the machine's rules. Throws MergeConflict where the settings want to be asked.
[[nodiscard]] etc::MergePlan plan_etc(Machine& machine,
                                      const EtcTrees& trees,
                                      const std::stop_token& stop);

/// What became of /etc, in lines for people.
struct EtcReport {
    std::vector<std::string> changes;
    std::vector<std::string> conflicts;  ///< each with its resolution
};

[[nodiscard]] EtcReport describe(const etc::MergePlan& plan);

}  // namespace cfs::update
