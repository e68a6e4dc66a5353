// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace cfs::test {

/// A mount namespace of this process's own. False, with the reason in `why`, where that is not
/// allowed.
[[nodiscard]] bool enter_mount_namespace(std::string& why);

/// Puts the content of a directory onto a tmpfs mounted over it, until the end. \pre
/// enter_mount_namespace()
class SmallDisk {
 public:
    explicit SmallDisk(std::string path);
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk();

    /// Leaves that many bytes (rounded up to pages) free.
    void leave_free(std::uint64_t bytes);

    /// Leaves room for that many more files.
    void leave_files(std::uint64_t count);

    void set_read_only(bool read_only);

    [[nodiscard]] std::uint64_t size() const;

 private:
    void remount(unsigned long flags, const std::string& options);

    std::string path_;
};

/// A directory that cannot be written to, until the end. \pre enter_mount_namespace()
class ReadOnlyView {
 public:
    explicit ReadOnlyView(std::string path);
    ReadOnlyView(const ReadOnlyView&) = delete;
    ReadOnlyView& operator=(const ReadOnlyView&) = delete;
    ~ReadOnlyView();

 private:
    std::string path_;
};

}  // namespace cfs::test
