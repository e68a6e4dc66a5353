// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "dbus/bus_compat.hpp"

#include <exception>
#include <string>

namespace cfs::bus {

/// "org.cfsupdate1.Error.DigestMismatch", "org.freedesktop.DBus.Error.InvalidArgs", ...
[[nodiscard]] std::string bus_error_name(ErrorCode code);

/// The message, and its hint on a line of its own ("Hint: ...").
[[nodiscard]] sdbus::Error to_bus_error(const Error& error);

/// AccessDenied, but a password would open it, and the caller forbade to ask for one.
[[nodiscard]] sdbus::Error interaction_required(const std::string& message,
                                                const std::string& hint);

/// What a foreign exception is to callers: Internal, with its text. Logs it.
[[nodiscard]] Error to_error(std::exception_ptr caught) noexcept;

}  // namespace cfs::bus
