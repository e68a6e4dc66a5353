// SPDX-License-Identifier: Apache-2.0
#include "mount/mount_call.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace cfs::mount {
namespace {

constexpr int kLoopTries = 16;

[[noreturn]] void no_file_system(const std::string& name, int err) {
    if (err == EPERM || err == EACCES) {
        throw Error(
            ErrorCode::AccessDenied,
            "mounting needs the privilege CAP_SYS_ADMIN",
            "run this as root; 'cfsctl image ls' and 'dump' show an image without mounting");
    }
    if (err == ENODEV) {
        const char* option = name == "erofs"  ? "CONFIG_EROFS_FS"
                             : name == "vfat" ? "CONFIG_VFAT_FS"
                                              : "CONFIG_OVERLAY_FS";
        throw Error(ErrorCode::Unsupported,
                    "this kernel has no " + name,
                    std::string("'modprobe ") + name + "', or a kernel with " + option);
    }
    if (err == ENOSYS) {
        throw Error(ErrorCode::Unsupported,
                    "this kernel lacks the new mount calls (fsopen)",
                    "mounting needs Linux 6.5 or newer");
    }
    throw_errno(err, "asking the kernel for " + name);
}

}  // namespace

MountContext::MountContext(const char* file_system)
    : name_(file_system), fd_(::fsopen(file_system, FSOPEN_CLOEXEC)) {
    if (!fd_) no_file_system(name_, errno);
}

void MountContext::flag(const char* key) {
    if (::fsconfig(fd_.get(), FSCONFIG_SET_FLAG, key, nullptr, 0) != 0)
        fail(errno, std::string("setting ") + key);
}

void MountContext::set(const char* key, const std::string& value) {
    if (::fsconfig(fd_.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0)
        fail(errno, std::string("setting ") + key);
}

int MountContext::try_set_fd(const char* key, int fd) {
    return ::fsconfig(fd_.get(), FSCONFIG_SET_FD, key, nullptr, fd) == 0 ? 0 : errno;
}

int MountContext::try_create() {
    return ::fsconfig(fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0 ? 0 : errno;
}

void MountContext::create() {
    if (const int err = try_create(); err != 0) fail(err, "making the file system");
}

UniqueFd MountContext::mount(bool read_only) {
    return mount_with(read_only ? MOUNT_ATTR_RDONLY : 0);
}

UniqueFd MountContext::mount_with(unsigned flags) {
    UniqueFd out(::fsmount(fd_.get(), FSMOUNT_CLOEXEC, flags));
    if (!out) fail(errno, "mounting");
    return out;
}

std::string MountContext::kernel_log() {
    std::string out;
    std::array<char, 1024> line{};
    for (;;) {
        const ssize_t n = ::read(fd_.get(), line.data(), line.size());
        if (n <= 0) return out;
        const std::string_view text(line.data(), static_cast<std::size_t>(n));
        out += "kernel: " + printable(text.substr(text.starts_with("e ") ? 2 : 0), 200) + "\n";
    }
}

void MountContext::fail(int err, const std::string& doing) {
    const bool denied = err == EPERM || err == EACCES;
    const bool foreign = err == EINVAL || err == EOPNOTSUPP || err == ENODEV;
    const ErrorCode code = denied    ? ErrorCode::AccessDenied
                           : foreign ? ErrorCode::Unsupported
                                     : ErrorCode::Internal;
    Error error(code,
                std::error_code(err, std::generic_category()),
                name_ + ": " + doing + ": " + std::strerror(err),
                denied ? "run this as root"
                       : "'dmesg' may say more; see cfsctl-image(1) for what the "
                         "kernel must have");
    throw error.set_details(kernel_log());
}

void attach_mount(int mount, int directory, const std::string& path) {
    if (::move_mount(mount, "", directory, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) !=
        0) {
        throw_errno("mounting on '" + path + "'");
    }
}

UniqueFd clone_without_mounts(int directory) {
    const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
    UniqueFd clone(::open_tree(directory, "", flags));
    if (!clone && errno != EPERM && errno != EINVAL && errno != ENOSYS) {
        throw_errno("looking below what is mounted");
    }
    // A clone itself is a mere path; what reads names wants more.
    if (!clone) return UniqueFd();
    return UniqueFd(::openat(clone.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::string descriptor_path(int fd) {
    return "/proc/self/fd/" + std::to_string(fd);
}

LoopDevice make_loop_device(int file) {
    const UniqueFd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    if (!control) {
        throw Error(ErrorCode::Unsupported,
                    std::error_code(errno, std::generic_category()),
                    "the kernel mounts no EROFS from a file, and there are no loop devices",
                    "Linux 6.12 mounts EROFS from files (CONFIG_EROFS_FS_BACKED_BY_FILE); older "
                    "ones need 'modprobe loop'");
    }
    for (int i = 0; i < kLoopTries; ++i) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0) throw_errno("looking for a free loop device");
        LoopDevice out;
        out.path = "/dev/loop" + std::to_string(number);
        out.fd.reset(::open(out.path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!out.fd) throw_errno("opening '" + out.path + "'");
        struct loop_config config {};
        config.fd = static_cast<std::uint32_t>(file);
        config.block_size = 4096;
        config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
        if (::ioctl(out.fd.get(), LOOP_CONFIGURE, &config) == 0) return out;
        if (errno != EBUSY) throw_errno("setting up '" + out.path + "'");
    }
    throw Error(ErrorCode::Busy, "others take every loop device first", "try again");
}

}  // namespace cfs::mount
