// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/image_options.hpp"
#include "crypto/digest.hpp"
#include "image/transform.hpp"
#include "image/tree.hpp"

#include <stop_token>
#include <string>

namespace cfs::client {

struct ScannedTree {
    image::FileTree tree;
    /// Content of the files below /etc/selinux, for the boot transform. Valid without the tree.
    image::ReadContent read;
};

/// Reads a directory with everything below it, other file systems mounted there included: names,
/// metadata, attributes, small files; bigger ones are hashed, and copied to the digest store if
/// there is one. Which thread reads what has no influence on the result. Busy when a file changes
/// meanwhile.
/// \param find_links names of one file become hard links; otherwise each is a file of its own
[[nodiscard]] ScannedTree scan_directory(const std::string& path,
                                         const ScanOptions& options,
                                         HashAlgorithm algorithm,
                                         bool find_links,
                                         const std::stop_token& stop);

}  // namespace cfs::client
