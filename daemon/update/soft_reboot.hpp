// SPDX-License-Identifier: Apache-2.0
/// \file The way to the next version without the firmware: systemd ends all that runs, and begins
/// anew in the tree below /run/nextroot (systemd-soft-reboot.service(8), since 254). Kernel and
/// initrd go on, so this is for versions that share them, and the version is not proven by it: the
/// loader still counts its tries when the firmware starts it. daemon/README.md, "Soft reboots".
///
/// Any soft reboot goes by /run/nextroot, one that restarts what runs as well: systemd takes the
/// mounts of the initrd away with all others (/etc, /var, /sysroot), and its tree has them anew.
///
/// Below settings.run/soft, which cfsupdated-soft-reboot.service makes:
///   ready          that unit runs: the machine can
///   wanted         somebody asked: the soft reboot that comes leads to the image that this names
///   began.json     when the last one was
///   image          the digest of where it leads; there when all of it is ready
///   <digest>/      its command line, for cfs-prepare-root, start.json, which has the deployment's
///                  stem, and the record of the mounts
#pragma once

#include "base/clock.hpp"
#include "settings/settings.hpp"
#include "update/verbs.hpp"

#include <string>

namespace cfs::update {

/// Why `target` needs the firmware; empty: a soft reboot leads to it. Reads records, and the
/// SELinux policies where there are any. \throws Error where they cannot be read
[[nodiscard]] std::string why_no_soft_reboot(const Machine& machine,
                                             const Overview& all,
                                             const DeploymentRecord& target);

/// The next soft reboot leads to `image` (hex), if that then waits for a boot; empty: it restarts
/// what runs. \throws Error Unsupported where none is possible
void want_soft_reboot(const settings::Settings& settings, const std::string& image);

[[nodiscard]] bool is_soft_reboot_wanted(const settings::Settings& settings);

/// When all that runs was stopped, and, for another version, behind finalize_at_shutdown(): writes
/// what cfs-prepare-root reads, and forgets the wish. \returns the version; empty: what runs
std::string prepare_soft_reboot(const settings::Settings& settings,
                                const Clock& clock = system_clock());

}  // namespace cfs::update
