// SPDX-License-Identifier: Apache-2.0
/// \file Deployments: made, armed and dropped. Each function records what it is about to do first,
/// so that reconcile() can finish or undo it.
#pragma once

#include "etc/merge.hpp"
#include "update/engine.hpp"
#include "update/etc_switch.hpp"
#include "update/etc_trees.hpp"
#include "update/machine.hpp"
#include "update/pull.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace cfs::update {

/// What a pulled image says of itself, as it would be the installation with this serial. Changes
/// nothing. \pre pull.gate()
[[nodiscard]] DeploymentRecord describe_image(const Pull& pull, std::uint64_t serial);

/// A record for a pulled image, not saved yet.
[[nodiscard]] DeploymentRecord make_record(Machine& machine, const Pull& pull);

/// What the merge of /etc for `record` would do, coming from `booted`. Changes nothing. An empty
/// plan when both share a state directory. MergeConflict where the settings want to be asked.
[[nodiscard]] etc::MergePlan preview_etc(Machine& machine,
                                         const DeploymentRecord& record,
                                         const DeploymentRecord& booted,
                                         const image::FileTree& next,
                                         const std::stop_token& stop);

/// Image, pins, state directory and ESP file; on return the record is saved as Staged. On an Error
/// nothing of it is left. \pre the caller holds the store's shared lock \param tries boot attempts
/// that the entry will get; 0: uncounted
void stage_deployment(Machine& machine,
                      DeploymentRecord& record,
                      Pull& pull,
                      unsigned tries,
                      const std::stop_token& stop);

/// Checks everything again, merges /etc, renames the entry; on return the record is saved as Armed.
/// On an Error the deployment is dropped: the old one stays as it was. \param booted nullptr on a
/// first installation \returns what the merge did
EtcReport finalize_deployment(Machine& machine,
                              DeploymentRecord record,
                              const DeploymentRecord* booted,
                              unsigned tries,
                              const std::stop_token& stop);

/// An armed deployment gets /etc as it is now: everything that changed since it was armed is in it,
/// too. The entry is not touched. On an Error, a store that stays locked included, the deployment
/// is dropped. \pre record.phase == Phase::Armed
EtcReport merge_again(Machine& machine,
                      DeploymentRecord record,
                      const DeploymentRecord& booted,
                      const std::stop_token& stop);

/// Is this the only record of the image that runs? Whatever its phase says, its /etc is in use.
[[nodiscard]] bool is_running(Machine& machine, const DeploymentRecord& record);

/// Entry, companions, state directory, pins, record: in this order. What other records share stays.
/// Objects are the collector's. Busy for what is_running(). \pre the caller holds the deployments'
/// lock
void drop_deployment(Machine& machine, DeploymentRecord record);

}  // namespace cfs::update
