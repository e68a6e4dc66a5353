// SPDX-License-Identifier: Apache-2.0
#include "small_disk.hpp"

#include "base/error.hpp"
#include "crash/crash_site.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace cfs::test {
namespace {

constexpr const char* kLarge = "size=256m,nr_inodes=100000";

void mount_or_throw(const char* from,
                    const std::string& to,
                    const char* type,
                    unsigned long flags,
                    const char* options) {
    if (::mount(from, to.c_str(), type, flags, options) != 0) throw_errno("mounting '" + to + "'");
}

struct statvfs examine(const std::string& path) {
    struct statvfs st {};
    if (::statvfs(path.c_str(), &st) != 0) throw_errno("examining '" + path + "'");
    return st;
}

}  // namespace

bool enter_mount_namespace(std::string& why) {
    if (::unshare(CLONE_NEWNS) == 0 &&
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) {
        return true;
    }
    why = "no mounts of one's own here: " + std::generic_category().message(errno);
    return false;
}

SmallDisk::SmallDisk(std::string path) : path_(std::move(path)) {
    const std::string beside = path_ + ".disk";
    std::filesystem::create_directory(beside);
    mount_or_throw("tmpfs", beside, "tmpfs", 0, kLarge);
    copy_machine(path_, beside);
    mount_or_throw(beside.c_str(), path_, nullptr, MS_MOVE, nullptr);
    std::filesystem::remove(beside);
}

SmallDisk::~SmallDisk() {
    (void)::umount2(path_.c_str(), MNT_DETACH);
}

void SmallDisk::leave_free(std::uint64_t bytes) {
    const auto st = examine(path_);
    const std::uint64_t pages = st.f_blocks - st.f_bfree + (bytes + st.f_frsize - 1) / st.f_frsize;
    remount(0, "size=" + std::to_string(pages * st.f_frsize));
}

void SmallDisk::leave_files(std::uint64_t count) {
    const auto st = examine(path_);
    remount(0, "nr_inodes=" + std::to_string(st.f_files - st.f_ffree + count));
}

void SmallDisk::set_read_only(bool read_only) {
    remount(read_only ? MS_RDONLY : 0, kLarge);
}

std::uint64_t SmallDisk::size() const {
    const auto st = examine(path_);
    return std::uint64_t{st.f_blocks} * st.f_frsize;
}

void SmallDisk::remount(unsigned long flags, const std::string& options) {
    mount_or_throw("tmpfs", path_, "tmpfs", MS_REMOUNT | flags, options.c_str());
}

ReadOnlyView::ReadOnlyView(std::string path) : path_(std::move(path)) {
    mount_or_throw(path_.c_str(), path_, nullptr, MS_BIND, nullptr);
    mount_or_throw(nullptr, path_, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr);
}

ReadOnlyView::~ReadOnlyView() {
    (void)::umount2(path_.c_str(), MNT_DETACH);
}

}  // namespace cfs::test
