// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "update/machine.hpp"
#include "update/state_dir.hpp"

#include <algorithm>

namespace cfs::update {

/// Target bootable, then each left one held and demoted, then the intent forgotten. Doing it twice
/// does it once: that is how a crash in the middle is finished.
void carry_out_rollback(Machine& machine, const RollbackIntent& intent);

}  // namespace cfs::update
