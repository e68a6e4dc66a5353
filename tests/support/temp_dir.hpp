// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"

#include <string>
#include <string_view>

namespace cfs::test {

/// A fresh directory, removed with everything in it at the end. Below $CFS_TEST_TMP, $TMPDIR or
/// /tmp.
class TempDir {
 public:
    TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir();

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] int fd() const { return fd_.get(); }

    /// Absolute path of something in it.
    [[nodiscard]] std::string operator/(std::string_view name) const;

    /// Writes a file, making its directories.
    void write(const std::string& name, std::string_view content, unsigned mode = 0644) const;

    [[nodiscard]] std::string read(const std::string& name) const;

 private:
    std::string path_;
    UniqueFd fd_;
};

/// One line per file system entry below `path`, sorted: type, mode, owner, size, link target and a
/// hash of the content, mtime left out. Two equal listings mean that nothing was changed.
[[nodiscard]] std::string tree_listing(const std::string& path);

}  // namespace cfs::test
