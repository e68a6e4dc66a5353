// SPDX-License-Identifier: Apache-2.0
/// \file The SELinux policy that an image carries, applied to the image. Internal to the boot
/// transform.
#pragma once

#include "image/file_contexts.hpp"
#include "image/transform.hpp"
#include "image/tree.hpp"

#include <map>
#include <optional>
#include <string>

namespace cfs::image {

struct SelinuxPolicy {
    FileContexts contexts;
    /// A path that is exactly a key is labelled as the value, and what is below it likewise.
    std::map<std::string, std::string, std::less<>> aliases;
};

/// nullopt when the image has no /etc/selinux/config or that names no policy. BadFormat when the
/// named policy is not there or cannot be parsed.
[[nodiscard]] std::optional<SelinuxPolicy> find_policy(const FileTree& tree,
                                                       const ReadContent& read);

/// Gives every inode the label of its first path (depth first, names in byte order); a further
/// name of it that wants another label becomes an inode of its own.
void relabel(FileTree& tree, const SelinuxPolicy& policy);

/// For an image without policy.
void remove_labels(FileTree& tree);

}  // namespace cfs::image
