// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "update/status.hpp"

#include <string>

namespace cfs::service {

/// What whoever logs in should know, a line for each: a restart that is pending, a stage that waits
/// for a person, a fallback, a newer version that is held, a shutdown that could not finish. Empty
/// when all is as it should be. Plain ASCII: what came with an image cannot reach the terminal.
[[nodiscard]] std::string motd_text(const update::Status& status);

}  // namespace cfs::service
