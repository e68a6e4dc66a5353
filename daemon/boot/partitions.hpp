// SPDX-License-Identifier: Apache-2.0
/// \file What the device manager knows of partitions.
#pragma once

#include <string>
#include <vector>

namespace cfs::boot {

/// Partition types of the Discoverable Partitions Specification; and of an MBR.
inline constexpr const char* kEspType = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
inline constexpr const char* kEspTypeMbr = "0xef";
inline constexpr const char* kXbootldrType = "bc13c2ff-59e6-4262-a352-b275fd6f7172";

/// One partition; what is not known is empty. All in lower case, but for `node`.
struct Partition {
    std::string node;         ///< "/dev/vda1"
    std::string number;       ///< "254:1"
    std::string disk;         ///< number of the disk that it is on
    std::string type;         ///< of its entry in the partition table
    std::string uuid;         ///< of that entry
    std::string file_system;  ///< "vfat"
};

[[nodiscard]] bool is_esp(const Partition& partition);

/// Every partition of which udev knows the entry in the partition table, by node. Empty where there
/// is no udev, as in containers. \throws Error Internal
[[nodiscard]] std::vector<Partition> list_partitions();

}  // namespace cfs::boot
