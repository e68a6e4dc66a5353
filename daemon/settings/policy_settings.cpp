// SPDX-License-Identifier: Apache-2.0
#include "settings/policy_settings.hpp"

#include <algorithm>

namespace cfs::settings {

std::string_view to_string(PolicyLevel level) {
    const auto found = std::find_if(kPolicyLevels.begin(),
                                    kPolicyLevels.end(),
                                    [&](const auto& known) { return known.second == level; });
    return found->first;
}

}  // namespace cfs::settings
