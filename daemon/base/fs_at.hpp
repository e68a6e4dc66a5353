// SPDX-License-Identifier: Apache-2.0
/// \file File-system calls below a directory descriptor.
///
/// Every name is resolved by openat2 with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and
/// RESOLVE_NO_MAGICLINKS unless said otherwise: no component is ever a symbolic link and nothing
/// leaves the directory, whoever else writes there. Directory first, path second. Throws Error.
#pragma once

#include "base/bytes.hpp"
#include "base/unique_fd.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs {

/// Opens a directory by absolute or working-directory-relative path, following links: for paths
/// that the administrator gave. NotFound if missing.
[[nodiscard]] UniqueFd open_root(const std::string& path);

/// O_CLOEXEC is added. NotFound if missing.
[[nodiscard]] UniqueFd open_at(int dir, const std::string& path, int flags, mode_t mode = 0);

/// Like open_at, but nullopt for ENOENT.
[[nodiscard]] std::optional<UniqueFd> find_at(int dir, const std::string& path, int flags);

/// A directory descriptor usable for reading its names.
[[nodiscard]] UniqueFd open_dir_at(int dir, const std::string& path);

/// nullopt if missing; does not follow a link in the last component.
[[nodiscard]] std::optional<struct stat> stat_at(int dir, const std::string& path);

/// Names without "." and "..", sorted bytewise.
[[nodiscard]] std::vector<std::string> list_dir(int dir);

/// Creates missing directories of `path` one by one. Existing ones are left alone.
void make_dirs_at(int dir, const std::string& path, mode_t mode);

/// Symbolic link's target; nullopt if missing or not a link.
[[nodiscard]] std::optional<std::string> read_link_at(int dir, const std::string& path);

/// Whole file; NotFound if missing, BadFormat above `limit` bytes.
[[nodiscard]] Bytes read_file_at(int dir, const std::string& path, std::size_t limit);

[[nodiscard]] std::optional<std::string> find_text_at(int dir,
                                                      const std::string& path,
                                                      std::size_t limit);

/// Replaces `path` atomically: temporary file in the same directory, fsync, rename, fsync of the
/// directory. After a crash the old or the new content is there. Not for vfat (spec: rename needs
/// more there).
void replace_file_at(int dir, const std::string& path, ByteView data, mode_t mode);

/// renameat2; NOREPLACE throws Busy when the target exists.
void rename_noreplace_at(int dir, const std::string& from, const std::string& to);
void rename_exchange_at(int dir, const std::string& one, const std::string& other);

/// unlinkat; true if there was something. Missing is not an error.
bool unlink_at(int dir, const std::string& path);

/// Removes a file or a whole tree without following links; missing is not an error. What chattr(1)
/// made immutable or append-only in it goes too; the directory that `path` lies in keeps its flags.
void remove_tree_at(int dir, const std::string& path);

/// fsync of a directory below `dir`, so that names made or removed in it survive a crash.
void fsync_dir_at(int dir, const std::string& path);

/// "d/x/y" -> {"d/x", "y"}; {".", "y"} for a bare name.
[[nodiscard]] std::pair<std::string, std::string> split_parent(const std::string& path);

/// What statvfs says of the file system that a descriptor lies on.
struct FreeSpace {
    std::uint64_t available = 0;  ///< bytes
    std::uint64_t block = 4096;   ///< allocation unit in bytes
    std::uint64_t total = 0;      ///< bytes
    bool read_only = false;
};

[[nodiscard]] FreeSpace free_space(int fd);

}  // namespace cfs
