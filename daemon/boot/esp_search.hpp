// SPDX-License-Identifier: Apache-2.0
/// \file Where the EFI system partition is (setting `esp = "auto"`), and the extended boot loader
/// partition (XBOOTLDR) beside it. Looks, and changes nothing.
#pragma once

#include "boot/partitions.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cfs::boot {

/// A file system that was found; nothing of it was opened.
struct BootVolume {
    std::string node;                  ///< "/dev/vda1"; empty when only its mount is known
    std::string number;                ///< "254:1"
    std::vector<std::string> mounted;  ///< paths where all of it is mounted now
    std::string found_by;              ///< for people: "LoaderDevicePartUUID"

    /// For messages.
    [[nodiscard]] std::string name() const;
};

struct BootVolumes {
    BootVolume esp;
    std::optional<BootVolume> xbootldr;
    std::vector<std::string> notes;  ///< what was odd on the way, a sentence each
};

/// Where to look.
struct SearchPlaces {
    std::string efivars;  ///< directory of EFI variables
    std::string sysroot;  ///< a directory on the file system whose disks count
    std::string mountinfo = "/proc/self/mountinfo";
    std::string sysfs = "/sys";
    std::function<std::vector<Partition>()> partitions = list_partitions;
};

/// The ESP, by the first of these that knows one:
/// 1. the partition that the boot loader says it was started from (LoaderDevicePartUUID);
/// 2. the only partition of that type on the disks that hold the sysroot; of several, the only one
///    that is mounted at a usual place;
/// 3. a FAT file system that is mounted at a usual place (/efi, /boot, /boot/efi), unless its
///    partition is known to be of another type. An automount there is triggered.
/// XBOOTLDR: the only one of its type on the ESP's disk, with a FAT file system, which is what
/// firmware reads.
/// \throws Error NotFound, with all that was tried; Io or Internal when the tables cannot be read
[[nodiscard]] BootVolumes find_boot_volumes(const SearchPlaces& places);

/// Numbers of the disks below a block device: through partitions, encryption, RAID and volumes.
[[nodiscard]] std::vector<std::string> disks_below(const std::string& sysfs,
                                                   const std::string& number);

}  // namespace cfs::boot
