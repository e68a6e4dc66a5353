// SPDX-License-Identifier: Apache-2.0
/// \file The kernel's mount calls with errors that say what the kernel says.
#pragma once

#include "base/unique_fd.hpp"

#include <string>
#include <string_view>

namespace cfs::mount {

/// One file system that is being configured.
class MountContext {
 public:
    /// Unsupported when the kernel has no such file system, AccessDenied without privileges.
    explicit MountContext(const char* file_system);

    void flag(const char* key);
    void set(const char* key, const std::string& value);

    /// 0 or the errno, for options that an older kernel may refuse.
    [[nodiscard]] int try_set_fd(const char* key, int fd);

    /// 0 or the errno.
    [[nodiscard]] int try_create();
    void create();

    /// The new mount, attached nowhere.
    [[nodiscard]] UniqueFd mount(bool read_only);

    /// The same, with MOUNT_ATTR_* flags.
    [[nodiscard]] UniqueFd mount_with(unsigned flags);

    /// Throws what the kernel's log of this context and `err` say.
    [[noreturn]] void fail(int err, const std::string& doing);

 private:
    [[nodiscard]] std::string kernel_log();

    std::string name_;
    UniqueFd fd_;
};

/// Attaches a mount to a directory.
void attach_mount(int mount, int directory, const std::string& path);

/// `directory` as its own file system has it, attached nowhere: without what is mounted on it or
/// below it. Invalid where that needs privileges that this process has not. Keep it as long as what
/// was opened below it.
[[nodiscard]] UniqueFd clone_without_mounts(int directory);

/// "/proc/self/fd/N".
[[nodiscard]] std::string descriptor_path(int fd);

/// A read-only loop device on a file; gone when nobody uses it any longer.
struct LoopDevice {
    UniqueFd fd;
    std::string path;
};
[[nodiscard]] LoopDevice make_loop_device(int file);

}  // namespace cfs::mount
