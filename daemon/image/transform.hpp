// SPDX-License-Identifier: Apache-2.0
/// \file What is done to a merged tree before it becomes an image. Every rule here is part of the
/// image's digest (composefs-rs: transform_for_oci, transform_for_boot, selabel).
#pragma once

#include "image/tree.hpp"

#include <functional>
#include <string>

namespace cfs::image {

/// Which extended attributes stay.
enum class XattrMode {
    AllowlistOnly,   ///< security.capability only (the default of composefs-rs)
    KeepUserXattrs,  ///< and those whose name starts with "user."
};

/// What /boot and /sysroot take of /usr's mtime in a bootable image.
enum class BootMtime {
    Full,     ///< seconds and nanoseconds (composefs-rs since September 2026)
    Seconds,  ///< seconds; their own nanoseconds stay (composefs-rs up to 0.9.0)
};

/// Returns the bytes of an external regular file. The callee bounds the size and throws Error.
using ReadContent = std::function<std::string(const Inode& inode)>;

/// The plain image: the root takes /usr's metadata, /run is emptied, other xattrs than the mode's
/// go. BadFormat when /usr is no directory or /run is something else than a directory.
void oci_transform(FileTree& tree, XattrMode mode);

/// The bootable image, on top of oci_transform(): /boot and /sysroot are emptied, everything gets
/// the SELinux label of the image's own policy, or loses it when the image has no policy.
/// BadFormat when /boot or /sysroot is no directory, or the policy cannot be read.
void boot_transform(FileTree& tree, BootMtime mtime, const ReadContent& read);

}  // namespace cfs::image
