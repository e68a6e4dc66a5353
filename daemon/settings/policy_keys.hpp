// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "settings/keys.hpp"

#include <vector>

namespace cfs::settings {

/// Those of the table [policy]. Private to the component.
[[nodiscard]] std::vector<Key> policy_keys();

}  // namespace cfs::settings
