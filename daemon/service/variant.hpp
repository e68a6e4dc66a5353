// SPDX-License-Identifier: Apache-2.0
/// \file Values as the bus library wants them. Every text passes through bus_text() here.
#pragma once

#include "dbus/bus_compat.hpp"
#include "service/value.hpp"

#include <string>
#include <vector>

namespace cfs::service {

[[nodiscard]] StringList to_bus(const StringList& texts);
[[nodiscard]] StringMaps to_bus(const StringMaps& maps);
[[nodiscard]] bus::VariantMap to_bus(const Dict& dict);
[[nodiscard]] std::vector<bus::VariantMap> to_bus(const std::vector<Dict>& dicts);

}  // namespace cfs::service
