// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cfs::initrd {

/// Where things are while the initrd runs, and what may be done about a failure.
struct Options {
    std::string sysroot = "/sysroot";  ///< the physical root file system, mounted
    std::string target;                ///< where the result goes; empty: in place of sysroot
    std::string cmdline = "/proc/cmdline";
    std::string run = "/run/cfsupdated";
    std::string efivars = "/sys/firmware/efi/efivars";
    std::string volatile_root = "/run/systemd/volatile-root";  ///< systemd's link to the disk
    bool reboot = false;  ///< a failure may end in a reboot; see aftermath.hpp
    bool soft = false;    ///< before a soft reboot: a failure is not the running entry's
    bool help = false;
    bool version = false;

    /// Does the result take the place of the physical root?
    [[nodiscard]] bool in_place() const { return target.empty(); }
};

/// Throws InvalidArgs for what it does not know.
[[nodiscard]] Options parse_options(int argc, const char* const* argv);

[[nodiscard]] const char* usage();

}  // namespace cfs::initrd
