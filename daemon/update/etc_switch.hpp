// SPDX-License-Identifier: Apache-2.0
/// \file How a merged /etc takes its place in a state directory, and gives it back.
///
/// Below state/deploy/<digest>: `etc`; `etc.next`, the merged tree before the exchange and what it
/// replaced after it; `etc.prev` and `etc.prev.<serial>`, what a kept slot had before, until it is
/// proven. Which of the two `etc.next` is after a crash tells the inode number of the merged tree,
/// which the record holds before the exchange. An armed deployment's /etc is merged more than once:
/// the record's `previous_etc` tells that what the slot had is set aside already, so that what a
/// later merge replaces is an earlier one's and goes.
#pragma once

#include "update/machine.hpp"

#include <string>

namespace cfs::update {

/// "state/deploy/<hex>"
[[nodiscard]] std::string state_path(const Digest& image);

/// Exchanges the tree at `merged` (below the sysroot, synced) with the state directory's etc; saves
/// the record. Durable on return. \pre the record's phase is Finalizing, or Armed and keep_etc()
/// follows
void switch_etc(Machine& machine, DeploymentRecord& record, const std::string& merged);

/// The entry was not armed: etc is what it was before switch_etc(), whether or not that came to its
/// end. Saves the record when something was to be done.
void revert_etc(Machine& machine, DeploymentRecord& record);

/// The entry is armed: a kept slot's own etc becomes etc.prev, a checkout that nobody ran with and
/// an earlier merge go, as does a merged tree that did not come to its exchange. Saves the record
/// when something was to be done.
void keep_etc(Machine& machine, DeploymentRecord& record);

/// A deployment that never ran is given up: the kept slot that it shares a state directory with
/// gets its own etc back. May be repeated after a crash.
void give_back_etc(Machine& machine, DeploymentRecord& record);

/// A proven deployment needs no way back to an older etc.
void drop_previous_etc(Machine& machine, const DeploymentRecord& record);

}  // namespace cfs::update
