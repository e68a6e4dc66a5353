// SPDX-License-Identifier: Apache-2.0
/// \file A text that policy keeps beside the records, state/cfsupdated/policy.json: old or new
/// after a crash. What is in it is the service's business. Thread-safe but for two that save.
#pragma once

#include "settings/settings.hpp"

#include <string>

namespace cfs::update {

/// Written without the deployments' lock.
inline constexpr const char* kPolicyMemory = "policy.json";

/// Empty when there is none, or no state.
[[nodiscard]] std::string load_policy_memory(const settings::Settings& settings);

/// Durable when it returns. \throws NoSpace, Io, NotFound without a sysroot
void save_policy_memory(const settings::Settings& settings, const std::string& text);

}  // namespace cfs::update
