// SPDX-License-Identifier: Apache-2.0
/// \file Other services' answers as conditions. What is not of the documented type, or out of
/// range, is not set. Never throws but bad_alloc.
#pragma once

#include "dbus/bus_compat.hpp"
#include "policy/decide.hpp"

#include <sys/types.h>

namespace cfs::service {

/// NetworkManager's properties: Metered, of NMMetered: 1 yes, 3 a guess that says yes.
void read_network(const bus::VariantMap& properties, policy::Conditions& into);

/// UPower's: OnBattery.
void read_power(const bus::VariantMap& properties, policy::Conditions& into);

/// Its display device's: Percentage, where one IsPresent.
void read_battery(const bus::VariantMap& properties, policy::Conditions& into);

/// logind's: IdleHint, PreparingForShutdown.
void read_login(const bus::VariantMap& properties, policy::Conditions& into);

/// What, who, why, mode, user and process.
using Inhibitor =
    sdbus::Struct<std::string, std::string, std::string, std::string, std::uint32_t, std::uint32_t>;

/// Those that block a shutdown, but for this process' own.
void read_inhibitors(const std::vector<Inhibitor>& all, pid_t self, policy::Conditions& into);

}  // namespace cfs::service
