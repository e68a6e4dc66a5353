// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dbus/bus_compat.hpp"

#include <sys/types.h>

#include <memory>
#include <string>

namespace cfs::test {

/// A connection on which it is this user who calls, to the bus and to services. Needs root.
[[nodiscard]] std::unique_ptr<sdbus::IConnection> connect_as(const std::string& address,
                                                             uid_t user);

}  // namespace cfs::test
