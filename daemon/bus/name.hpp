// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dbus/bus_compat.hpp"

namespace cfs::bus {

/// Gives a name up without losing a call. Those that came before it went get their answers, from
/// within this: others go to whoever has it next, and the service manager starts that when we are
/// gone. Waits for the bus daemon.
void give_up_name(sdbus::IConnection& connection, const char* name) noexcept;

}  // namespace cfs::bus
