// SPDX-License-Identifier: Apache-2.0
/// \file What lies in EFI/Linux under which name. Internal to UkiEsp. All functions look at the
/// directory anew: other tools rename entries while we run.
#pragma once

#include "base/unique_fd.hpp"
#include "boot/boot_backend.hpp"
#include "boot/entry_name.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::boot {

inline constexpr const char* kEntriesPath = "EFI/Linux";

/// No loader lists a name that does not end in ".efi".
inline constexpr std::string_view kStagedSuffix = ".cfs-staged";

/// "<stem>.cfs-staged".
[[nodiscard]] std::string staged_file_name(const std::string& stem);

/// The stem, if `file` is a name of staged_file_name that we would have made.
[[nodiscard]] std::optional<std::string> staged_stem(std::string_view file);

/// All names, in the order in which the file system has them.
[[nodiscard]] std::vector<std::string> names_as_stored(int dir);

/// The temporary files in a directory, by name.
[[nodiscard]] std::vector<StagedFile> staged_files(int dir);

/// EFI/Linux below the ESP's root; nullopt if there is none.
[[nodiscard]] std::optional<UniqueFd> find_entries_dir(int root);

/// The regular file of that name as the directory spells it: exact, else regardless of case.
[[nodiscard]] std::optional<std::string> find_file(int dir, std::string_view file);

/// Regular files that are entries with this stem, whatever their counter and case.
[[nodiscard]] std::vector<std::string> files_of_stem(int dir, std::string_view stem);

/// Busy if a file other than `except` is an entry with this stem: with two of them, blessing one
/// would fail for ever and a good entry decay to a bad one.
void require_fresh_stem(int dir, const std::string& stem, std::string_view except = {});

/// InvalidArgs unless FAT and all loaders take the name and nothing in its stem can be mistaken for
/// a counter.
void require_valid_name(const EntryName& name);

/// fsync of the file, then syncfs: both, because vfat writes the start cluster and size of a
/// renamed file through its inode and not with its directory.
void make_durable(int dir, const std::string& file);

}  // namespace cfs::boot
