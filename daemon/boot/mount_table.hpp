// SPDX-License-Identifier: Apache-2.0
/// \file What is mounted where, as /proc/self/mountinfo shows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cfs::boot {

struct MountPoint {
    std::string number;       ///< of the device: "254:1"
    std::string root;         ///< which directory of the file system; "/": all of it
    std::string path;         ///< where
    std::string file_system;  ///< "vfat"
    std::string source;       ///< "/dev/vda1"
};

/// In the order of mounting: of several on one path the last is what one sees. Lines that make no
/// sense are left out.
[[nodiscard]] std::vector<MountPoint> parse_mount_table(std::string_view text);

/// What one sees there; nullptr if nothing is mounted on that very path.
[[nodiscard]] const MountPoint* find_mount(const std::vector<MountPoint>& table,
                                           std::string_view path);

/// What a path lies on; nullptr for an empty table.
[[nodiscard]] const MountPoint* mount_below(const std::vector<MountPoint>& table,
                                            std::string_view path);

}  // namespace cfs::boot
