// SPDX-License-Identifier: Apache-2.0
/// \file Extended attributes of one file system entry, whatever its type.
///
/// Links, FIFOs and devices cannot be opened for this, so they are named through
/// /proc/self/fd/DIRECTORY/NAME, whose last component is not followed. Throws Error.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace cfs::etc {

using Xattrs = std::map<std::string, std::string>;

inline constexpr std::string_view kSelinuxLabel = "security.selinux";

/// All attributes of an open file or directory, without `trusted.overlay.*` (the union file
/// system's own bookkeeping) and without `security.evm` seals that the kernel computes by itself.
/// A file system without attributes has none.
[[nodiscard]] Xattrs read_xattrs(int fd);

/// The same for an entry that is not opened. \pre `name` is one component.
[[nodiscard]] Xattrs read_xattrs_at(int dir, const std::string& name);

/// Sets every attribute of `xattrs`. A file system without security labels gets none; anything else
/// that cannot be stored is an error.
void write_xattrs(int fd, const Xattrs& xattrs);
void write_xattrs_at(int dir, const std::string& name, const Xattrs& xattrs);

/// Takes away what an open directory has and `wanted` has not, the label excepted: a new directory
/// inherits access lists from its parent.
void remove_other_xattrs(int fd, const Xattrs& wanted);

}  // namespace cfs::etc
