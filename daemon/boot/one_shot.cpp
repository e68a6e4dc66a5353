// SPDX-License-Identifier: Apache-2.0
#include "boot/one_shot.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "boot/efi_text.hpp"
#include "boot/efi_variables.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace cfs::boot {
namespace {

constexpr const char* kOneShot = "LoaderEntryOneShot";
constexpr const char* kOneShotFile = "LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
constexpr const char* kFeaturesFile = "LoaderFeatures-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
constexpr std::uint64_t kHonoursOneShot = std::uint64_t{1} << 3;
/// Non-volatile, for the firmware and for the system that runs.
constexpr std::uint32_t kAttributes = 7;
constexpr const char* kHint =
    "firmware keeps this choice: mount efivarfs for writing ('mount -o remount,rw "
    "/sys/firmware/efi/efivars') and boot by systemd-boot, or use an image that comes first by its "
    "own version";

Bytes content_of(const std::string& pattern) {
    Bytes out(sizeof kAttributes);
    store_le(out, 0, kAttributes);
    for (const char c : pattern + '\0') {
        out.push_back(static_cast<std::uint8_t>(c));
        out.push_back(0);
    }
    return out;
}

/// efivarfs makes what it does not know immutable. Elsewhere there is nothing to do.
void make_mutable(int dir) {
    const auto fd = find_at(dir, kOneShotFile, O_RDONLY | O_NOFOLLOW);
    int flags = 0;
    if (!fd || ::ioctl(fd->get(), FS_IOC_GETFLAGS, &flags) != 0) return;
    if ((flags & FS_IMMUTABLE_FL) == 0) return;
    flags &= ~FS_IMMUTABLE_FL;
    if (::ioctl(fd->get(), FS_IOC_SETFLAGS, &flags) != 0)
        throw_errno("making the variable changeable");
}

void remove_variable(int dir) {
    make_mutable(dir);
    (void)unlink_at(dir, kOneShotFile);
}

/// Firmware that fails is not one that has no such memory.
bool is_failure(const Error& e) {
    const int err = e.system().value();
    return e.code() == ErrorCode::Io && err != EROFS && err != EPERM && err != EACCES;
}

template <typename F>
void on_variables(const std::string& efivars, F&& change) {
    try {
        change(open_root(efivars).get());
    } catch (const Error& e) {
        throw Error(is_failure(e) ? ErrorCode::Io : ErrorCode::Unsupported,
                    e.system(),
                    std::string("the EFI variable ") + kOneShot + " in '" + efivars +
                        "' cannot be written: " + e.what(),
                    kHint);
    }
}

/// nullopt: the loader tells nothing.
std::optional<std::uint64_t> loader_features(int dir) {
    const auto content = find_text_at(dir, kFeaturesFile, kMaxEfiVariable);
    if (!content || content->size() < sizeof kAttributes + sizeof kHonoursOneShot)
        return std::nullopt;
    return load_le<std::uint64_t>(as_bytes(*content), sizeof kAttributes);
}

}  // namespace

std::string why_no_one_shot(const std::string& efivars) {
    try {
        const UniqueFd dir = open_root(efivars);
        const auto features = loader_features(dir.get());
        if (!features)
            return "the boot loader leaves no EFI variable LoaderFeatures in '" + efivars + "'";
        if ((*features & kHonoursOneShot) == 0)
            return "the boot loader does not know the EFI variable LoaderEntryOneShot";
        struct statvfs fs {};
        if (::fstatvfs(dir.get(), &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0)
            return "'" + efivars + "' is mounted read-only";
        return {};
    } catch (const Error& e) {
        return e.what();
    }
}

void set_one_shot(const std::string& efivars, const std::string& pattern) {
    if (loader_variable(efivars, kOneShot) == pattern) return;
    on_variables(efivars, [&](int dir) {
        // A shorter text over a longer one would need a truncation, which efivarfs has not.
        remove_variable(dir);
        const UniqueFd fd =
            open_at(dir, kOneShotFile, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
        const Bytes content = content_of(pattern);
        // In one piece: each write() is a variable of its own to the firmware.
        const ssize_t written = ::write(fd.get(), content.data(), content.size());
        if (written < 0) throw_errno("writing it");
        if (static_cast<std::size_t>(written) != content.size())
            throw Error(ErrorCode::Io, "only a part of it was written");
        if (::fsync(fd.get()) != 0 && errno != EINVAL) throw_errno("syncing it");
    });
}

void clear_one_shot(const std::string& efivars, const std::string& pattern) {
    if (loader_variable(efivars, kOneShot) != pattern) return;
    on_variables(efivars, [](int dir) { remove_variable(dir); });
}

}  // namespace cfs::boot
