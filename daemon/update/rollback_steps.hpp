// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "update/machine.hpp"
#include "update/state_dir.hpp"

#include <vector>

namespace cfs::update {

/// What makes `target` the loader's next choice: newer ones go behind it, and those that the loader
/// would take before it.
[[nodiscard]] RollbackIntent plan_rollback(Machine& machine,
                                           const std::vector<DeploymentRecord>& records,
                                           const DeploymentRecord& target);

/// Target bootable, then each left one held and demoted, then the intent forgotten. Doing it twice
/// does it once: that is how a crash in the middle is finished.
void carry_out_rollback(Machine& machine, const RollbackIntent& intent);

}  // namespace cfs::update
