// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "uki/os_release.hpp"

namespace cfs::uki {

/// The os-release of a UKI that lies on the ESP, as a boot loader reads it: headers and that one
/// section, a few KiB of a file that may have hundreds of MB. Nothing is verified and nothing is
/// mapped, so a medium that fails or a file that shrinks meanwhile is an Error and no signal.
/// Throws BadFormat where a loader would not list the file: no EFI application, no .linux, no
/// .osrel, an os-release that does not parse or yields no name.
[[nodiscard]] OsRelease peek_os_release(int fd);

}  // namespace cfs::uki
