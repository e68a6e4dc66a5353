// SPDX-License-Identifier: Apache-2.0
/// \file What SetPolicy changed: keys of the table [policy] without its name, each with its value
/// as TOML. Laid over the configuration; a value that is not allowed any more is passed over.
#pragma once

#include "dbus/bus_compat.hpp"
#include "service/value.hpp"
#include "settings/policy_settings.hpp"

#include <map>
#include <string>

namespace cfs::service {

using PolicyOverrides = std::map<std::string, std::string>;

[[nodiscard]] settings::PolicySettings laid_over(const settings::PolicySettings& configured,
                                                 const PolicyOverrides& overrides);

/// `before`, changed as a caller of SetPolicy wants it. \throws InvalidArgs: nothing is changed
[[nodiscard]] PolicyOverrides changed_by(const bus::VariantMap& options,
                                         const PolicyOverrides& before);

/// The property Policy.
[[nodiscard]] Dict policy_dict(const settings::PolicySettings& policy,
                               const PolicyOverrides& overrides);

}  // namespace cfs::service
