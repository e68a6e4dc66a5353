// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"

#include <linux/fs.h>

#include <string>
#include <vector>

namespace cfs::test {

/// Files and directories with flags as chattr(1) sets them. At the end they lose the flags again,
/// wherever they were moved to, so that the test's directory can be removed: make it after that.
class FileFlags {
 public:
    FileFlags() = default;
    FileFlags(const FileFlags&) = delete;
    FileFlags& operator=(const FileFlags&) = delete;
    ~FileFlags();

    /// Why no file in `dir` can have them (no privilege, or the file system has none); empty if
    /// one can.
    [[nodiscard]] static std::string missing_in(const std::string& dir);

    /// Adds FS_IMMUTABLE_FL or FS_APPEND_FL; throws Error.
    void add(const std::string& path, int flags = FS_IMMUTABLE_FL);

    /// Those two of what `path` has; throws Error.
    [[nodiscard]] static int get(const std::string& path);

 private:
    std::vector<UniqueFd> files_;
};

}  // namespace cfs::test
