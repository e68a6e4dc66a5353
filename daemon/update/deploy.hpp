// SPDX-License-Identifier: Apache-2.0
/// \file Deployments: made, armed and dropped. Each function records what it is about to do first,
/// so that reconcile() can finish or undo it.
#pragma once

#include "etc/merge.hpp"
#include "update/engine.hpp"
#include "update/machine.hpp"
#include "update/pull.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace cfs::update {

/// A record for a pulled image, not saved yet.
[[nodiscard]] DeploymentRecord make_record(Machine& machine, const Pull& pull);

/// What the merge of /etc for `record` would do, coming from `booted`. Changes nothing. An empty
/// plan when both share a state directory.
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
/// first installation \returns the merge's changes
std::vector<std::string> finalize_deployment(Machine& machine,
                                             DeploymentRecord record,
                                             const DeploymentRecord* booted,
                                             unsigned tries,
                                             const std::stop_token& stop);

/// Entry, companions, state directory, pins, record: in this order. What other records share stays.
/// Objects are the collector's. \pre the caller holds the deployments' lock
void drop_deployment(Machine& machine, DeploymentRecord record);

/// "etc.prev" of a state directory whose /etc was exchanged while it belonged to a kept slot.
inline constexpr const char* kEtcPrevious = "etc.prev";

/// One line per change, for people.
[[nodiscard]] std::vector<std::string> describe_changes(const etc::MergePlan& plan);

/// "state/deploy/<hex>"
[[nodiscard]] std::string state_path(const Digest& image);

}  // namespace cfs::update
