// SPDX-License-Identifier: Apache-2.0
/// \file A composefs image mounted by the kernel: EROFS, and an overlay with data-only layers.
#pragma once

#include "base/unique_fd.hpp"

#include <string>
#include <vector>

namespace cfs::mount {

/// Which of the kernel's ways is taken. Newest: all that is tried, newest first; the others leave
/// the newer ones out.
enum class MountWay {
    Newest,  ///< EROFS on the file itself (Linux 6.12), layers by descriptor (6.15)
    Paths,   ///< layers by path (6.5)
    Loop,    ///< and EROFS on a loop device
};

struct MountPlan {
    int image = -1;                    ///< the EROFS file, open for reading
    std::string name;                  ///< shown as the mount's source
    std::vector<std::string> objects;  ///< data-only layers; may be empty
    bool verity = false;               ///< objects must have the fs-verity digest of the image
    std::string upper_dir;
    std::string work_dir;
    std::string target;            ///< of mount_image()
    std::string scratch = "/tmp";  ///< where a layer may be attached for a moment
    MountWay way = MountWay::Newest;
};

/// The image as a mount that is attached nowhere yet. AccessDenied without CAP_SYS_ADMIN,
/// Unsupported where the kernel lacks a piece: the text names it.
[[nodiscard]] UniqueFd make_mount(const MountPlan& plan);

/// The same, on plan.target.
void mount_image(const MountPlan& plan);

}  // namespace cfs::mount
