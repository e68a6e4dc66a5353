// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"

namespace cfs::client {

/// The contract with scripts; see cfsctl(1).
enum class ExitCode : int {
    Done = 0,           ///< `check`: an update is available; `pending`: a restart is
    Error = 1,          ///< usage included; `store fsck`: damaged
    NothingToDo = 2,    ///< the newest is here already
    NotFound = 3,       ///< no such image, tag, deployment or job
    NotAuthorised = 4,  ///< the bus or the daemon refuses this caller
    Blocked = 5,        ///< policy says not now, or not this one
};

[[nodiscard]] ExitCode exit_code_for(ErrorCode code);

}  // namespace cfs::client
