// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/uki_esp.hpp"
#include "mount/private_mount.hpp"
#include "settings/settings.hpp"

#include <memory>

namespace cfs::update {

/// The setting's word for "find it yourself".
inline constexpr const char* kFindEsp = "auto";

/// What the firmware boots from: the directory that settings.esp names, as it is; or the partition
/// that boot::find_boot_volumes() finds, and XBOOTLDR beside it, each in a mount of this process's
/// own, which ends with the backend. Without the privilege to mount, a mount that is there is used.
/// \throws Error NotFound when there is none, saying what was tried; what mounting throws
[[nodiscard]] std::unique_ptr<boot::UkiEsp> open_boot_partition(const settings::Settings& settings,
                                                                mount::Access access);

}  // namespace cfs::update
