// SPDX-License-Identifier: Apache-2.0
#include "mount/private_mount.hpp"

#include "base/error.hpp"
#include "mount/mount_call.hpp"

#include <fcntl.h>
#include <sys/mount.h>

#include <cerrno>

namespace cfs::mount {
namespace {

constexpr unsigned kSafe =
    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;

unsigned flags_for(Access access) {
    return kSafe | (access == Access::Read ? static_cast<unsigned>(MOUNT_ATTR_RDONLY) : 0U);
}

PrivateMount opened(UniqueFd mount) {
    // A mount itself is a mere path; what reads names wants more.
    UniqueFd root(::openat(mount.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) throw_errno("opening a private mount");
    return {std::move(mount), std::move(root)};
}

[[noreturn]] void fail(MountContext& context, int err, const std::string& node) {
    try {
        context.fail(err, "mounting '" + node + "'");
    } catch (Error& error) {
        throw error.set_hint("'dmesg' may say more; 'fsck' mends a damaged file system");
    }
}

}  // namespace

std::optional<PrivateMount> clone_mount(const std::string& path, Access access) {
    UniqueFd clone(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!clone && (errno == EPERM || errno == ENOSYS)) return std::nullopt;
    if (!clone) throw_errno("cloning the mount at '" + path + "'");
    struct mount_attr attributes {};
    attributes.attr_set = flags_for(access);
    attributes.attr_clr = access == Access::Write ? MOUNT_ATTR_RDONLY : 0;
    if (::mount_setattr(clone.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        throw_errno("setting the flags of a private mount of '" + path + "'");
    return opened(std::move(clone));
}

PrivateMount mount_device(const char* file_system, const std::string& node, Access access) {
    int err = 0;
    for (const bool read_only : {access == Access::Read, false}) {
        MountContext context(file_system);
        if (read_only) context.flag("ro");
        context.set("source", node);
        err = context.try_create();
        if (err == 0) return opened(context.mount_with(flags_for(access)));
        // A file system is read-only for all or for none: somebody writes to it.
        if (err != EBUSY) fail(context, err, node);
    }
    throw Error(ErrorCode::Busy,
                std::error_code(err, std::generic_category()),
                "'" + node + "' is mounted elsewhere, read-only",
                "try again, or mount it for writing there");
}

}  // namespace cfs::mount
