// SPDX-License-Identifier: Apache-2.0
/// \file A lower version, or another product: what somebody asked for and the loader would not
/// start by its order. A variable has it started once; whatever goes wrong with it, the next boot
/// is the old one's again, whose entry nobody touched. Only when it is proven those ahead of it are
/// demoted, and stay as the way back. All of it under the deployments' lock.
#pragma once

#include "update/machine.hpp"

#include <string>

namespace cfs::update {

enum class Order {
    First,       ///< every supported loader starts it once it is armed
    AfterTrial,  ///< a variable has to
};

/// How `staged` comes to be what loaders start. DowngradeRejected when it would not, and nobody
/// asked for it on purpose or demoting our own entries would not help; Unsupported when a variable
/// would have to say so and none can.
[[nodiscard]] Order find_order(Machine& machine,
                               const boot::StagedUki& staged,
                               const DeploymentRecord& record);

/// Right before it is armed: the record says what find_order() says now, and the variable is set if
/// it has to be. Set first, because a choice of an entry that is not there is none.
/// \throws Error as find_order()
void prepare_trial(Machine& machine, DeploymentRecord& record, unsigned tries);

/// It is not to be tried any more. Best effort: what a variable names and is gone starts nothing.
void forget_trial(Machine& machine, const DeploymentRecord& record);

/// While `booted` runs: one that is proven takes its place in the order, one that was tried and did
/// not stay is demoted, one that was not tried yet is named to the loader again.
void settle_trials(Machine& machine, const DeploymentRecord& booted);

}  // namespace cfs::update
