// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "client/model.hpp"

#include <string>

namespace cfs::client {

/// An error reply as this project's Error: the taxonomy below org.cfsupdate1.Error, the refusals of
/// the bus and of polkit (AccessDenied), a daemon that is not there (NotFound would mean an image,
/// so Unsupported), one that does not answer (Io). A last line "Hint: ..." becomes the hint.
[[nodiscard]] Error error_from_bus(const std::string& name, const std::string& message);

/// Of a job that failed or was cancelled.
[[nodiscard]] Error error_from_job(const Failure& failure);

}  // namespace cfs::client
