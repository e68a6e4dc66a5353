// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stop_token>

namespace cfs::archive {

struct OuterArchiveLimits {
    std::uint64_t max_entries = 10'000;
    std::uint64_t max_bytes = std::uint64_t{64} << 30;  ///< sum of the unpacked files
};

struct OuterArchiveReport {
    std::uint64_t files = 0;    ///< written
    std::uint64_t bytes = 0;    ///< written
    std::uint64_t skipped = 0;  ///< entries that no OCI layout has
};

/// Unpacks an `oci-archive:` (a tar, plain or in gzip or zstd) from the file's current position
/// into the fresh, empty directory `dir_fd`: `oci-layout`, `index.json` and
/// `blobs/<algorithm>/<hex>` only; other files are read over. Files get mode 0600 and directories
/// 0700, whatever the archive says. Nothing is synced: after a crash the directory is worthless.
///
/// Throws BadFormat for an absolute path, "..", links, devices, sparse files, a name that comes
/// twice, a truncated archive, no index.json, or more than the limits; Cancelled by `stop`. Blobs
/// are not hashed here: who reads the layout does.
OuterArchiveReport unpack_oci_archive(int archive_fd,
                                      int dir_fd,
                                      const OuterArchiveLimits& limits,
                                      const std::stop_token& stop);

}  // namespace cfs::archive
