// SPDX-License-Identifier: Apache-2.0
/// \file A file system of this process alone: no path leads to it, and nothing in it is run,
/// followed or a device.
#pragma once

#include "base/unique_fd.hpp"

#include <optional>
#include <string>

namespace cfs::mount {

enum class Access {
    Read,
    Write,  ///< through this mount; where the medium or another mount of it is read-only: Io, later
};

/// Keep `mount` as long as what is open below `root`; both gone, the mount is.
struct PrivateMount {
    UniqueFd mount;
    UniqueFd root;  ///< directory
};

/// The file system that is mounted at `path`, once more: with flags of its own, so that a
/// read-only mount there stays one, and whatever happens to that mount does not matter here.
/// Nothing that is mounted below `path` is in it. nullopt where this process may not do that.
[[nodiscard]] std::optional<PrivateMount> clone_mount(const std::string& path, Access access);

/// A file system on a block device that is mounted nowhere, or somewhere out of sight.
/// AccessDenied without CAP_SYS_ADMIN, Busy when it is mounted elsewhere in a way that does not go
/// together with `access`, else what the kernel says.
[[nodiscard]] PrivateMount mount_device(const char* file_system,
                                        const std::string& node,
                                        Access access);

}  // namespace cfs::mount
