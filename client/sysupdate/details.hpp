// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bus/polkit.hpp"

#include <string>

namespace cfs::sysupdate {

/// What polkit's rules and dialogs see of a call, by the names that systemd's have.
/// \param version the caller's word; cut, and in one line
[[nodiscard]] bus::ActionDetails details(const std::string& version, bool offline);

}  // namespace cfs::sysupdate
