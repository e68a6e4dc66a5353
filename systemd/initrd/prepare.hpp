// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "initrd/options.hpp"
#include "initrd/record.hpp"

namespace cfs::initrd {

/// Mounts what the kernel command line names over the physical root, or on options.target, and
/// records it. On an Error nothing of it is left mounted and no record is there; only the last step
/// may leave options.sysroot without its mount. \pre only one of these runs
void prepare_root(const Options& options);

/// The kernel command line, without the line's end.
[[nodiscard]] std::string read_cmdline(const std::string& path);

}  // namespace cfs::initrd
