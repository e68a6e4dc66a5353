// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cfs::app {

/// A name of this machine that is ours alone: the machine id, which is nobody else's to know,
/// hashed with our application id. "unknown" without one, as on a system that was never booted.
[[nodiscard]] std::string machine_name();

}  // namespace cfs::app
