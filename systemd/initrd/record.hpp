// SPDX-License-Identifier: Apache-2.0
/// \file What outlives the initrd: the record of what was mounted, for the daemon (it reads
/// booted.json as the image that runs), and the record of a failure, for the next boot that works
/// (`cfsctl status` shows the daemon's last-error.json).
#pragma once

#include "base/error.hpp"
#include "initrd/setup_config.hpp"
#include "uki/cmdline.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cfs::initrd {

struct BootRecord {
    Digest digest;          ///< of the image that is mounted
    bool measured = false;  ///< the kernel measured it; else it is what the command line says
    bool verity = false;    ///< objects without the image's fs-verity digests cannot be read
    SetupConfig config;
    std::string cmdline;
};

[[nodiscard]] std::string to_json(const BootRecord& record);

/// DIR/booted.json, replaced atomically; makes DIR (0700).
void write_boot_record(const std::string& dir, const BootRecord& record);

/// So that nobody takes a boot that failed for one that runs. Missing is no error.
void remove_boot_record(const std::string& dir);

/// What the daemon's state folder says of its last failure, in the daemon's own words for it.
struct FailureRecord {
    ErrorCode code = ErrorCode::Internal;
    std::string message;
    std::string hint;
    std::string details;
    std::int64_t time = 0;  ///< seconds since the epoch
};

[[nodiscard]] std::string to_json(const FailureRecord& record);

/// state/cfsupdated/last-error.json below `sysroot`, durable when this returns. Does nothing on a
/// file system without state/.
void write_failure(int sysroot, const FailureRecord& record);

}  // namespace cfs::initrd
