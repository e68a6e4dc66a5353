// SPDX-License-Identifier: Apache-2.0
/// \file Which deployments go, and giving the space of what nobody refers to back.
#pragma once

#include "update/engine.hpp"
#include "update/machine.hpp"
#include "update/verbs.hpp"

#include <stop_token>
#include <vector>

namespace cfs::update {

/// Beyond `keep`, oldest first; never one that runs, boots next, waits, is the way back, or is
/// pinned. Those that a rollback gave up, and those that never ran, go before proven ones. Pinned
/// ones do not count, unless they are protected anyway.
[[nodiscard]] std::vector<DeploymentRecord> surplus(const Overview& all, unsigned keep);

/// Drops the objects, streams and images that no deployment needs, and says so in `result`.
/// \param leaving deployments that a dry run would have dropped before; else none
/// \param also_kept streams that stay, too: of an image that is being fetched
/// \throws Error Busy when the store stays in use
void free_store(Machine& machine,
                const std::vector<DeploymentRecord>& leaving,
                const std::vector<std::string>& also_kept,
                bool dry_run,
                CollectResult& result,
                const std::stop_token& stop);

}  // namespace cfs::update
