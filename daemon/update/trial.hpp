// SPDX-License-Identifier: Apache-2.0
/// \file A new version's trial: how it ends well, how it ends badly, and what that means for the
/// next ones. "Proven" is our own record; the loader's counters assist.
#pragma once

#include "update/engine.hpp"
#include "update/machine.hpp"
#include "update/verbs.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::update {

/// For the log.
[[nodiscard]] std::string name_of(const DeploymentRecord& record);

/// There is no way back below it: the floor rises, older /etc trees go, what was held against it is
/// forgotten; the record says so. May be called again. \pre the caller holds the deployments' lock
void note_proven(Machine& machine, DeploymentRecord booted);

/// Newer deployments whose tries ran out while `booted` runs: they are held, so that automation
/// does not try them again, and the newest is the fallback that status shows, with its reason. \pre
/// the caller holds the deployments' lock
void note_failed(Machine& machine,
                 const std::vector<DeploymentRecord>& records,
                 const DeploymentRecord& booted);

/// Holds the digest, durably, and says so where that is news.
/// \throws Error StateCorrupt as StateDir::hold()
void hold_and_tell(const Machine& machine,
                   const Digest& key,
                   const DeploymentRecord& record,
                   std::string_view reason);

/// A record that is armed now: what held its digest is forgotten if somebody named it. The caller
/// saves `record`. Not before: an installation that fails leaves the digest held for the old
/// reason.
void release_wanted(const Machine& machine, DeploymentRecord& record);

/// It goes without having run: what release_wanted() released is as it was, where the state of
/// holds can be written; else the log says so. May be repeated.
void hold_again(const Machine& machine, const DeploymentRecord& record);

/// `noticed` if it is about something newer than what runs.
[[nodiscard]] std::optional<Fallback> find_fallback(const std::optional<Fallback>& noticed,
                                                    const DeploymentRecord& booted);

/// SlotNotProven while `booted` is on trial and health.deadline is not over: another slot beside
/// one that may fail would leave it to the loader what is fallen back to.
void require_proven(const Machine& machine, const Overview& all, const DeploymentRecord& booted);

}  // namespace cfs::update
