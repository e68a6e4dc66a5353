// SPDX-License-Identifier: Apache-2.0
#include "boot/esp_names.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <utility>

namespace cfs::boot {
namespace {

struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
};

bool is_regular(int dir, const std::string& file) {
    const auto st = stat_at(dir, file);
    return st && S_ISREG(st->st_mode);
}

}  // namespace

std::string staged_file_name(const std::string& stem) {
    return stem + std::string(kStagedSuffix);
}

std::optional<std::string> staged_stem(std::string_view file) {
    if (!file.ends_with(kStagedSuffix)) return std::nullopt;
    file.remove_suffix(kStagedSuffix.size());
    std::string stem(file);
    if (!is_safe_entry_file(stem + ".efi")) return std::nullopt;
    return stem;
}

std::vector<std::string> names_as_stored(int dir) {
    const std::unique_ptr<DIR, Close> stream(::fdopendir(open_dir_at(dir, ".").release()));
    if (!stream) throw_errno("reading EFI/Linux");
    std::vector<std::string> out;
    for (errno = 0; const dirent* entry = ::readdir(stream.get()); errno = 0)
        out.emplace_back(entry->d_name);
    if (errno != 0) throw_errno("reading EFI/Linux");
    return out;
}

std::vector<StagedFile> staged_files(int dir) {
    std::vector<StagedFile> out;
    for (const std::string& file : list_dir(dir)) {
        auto stem = staged_stem(file);
        const auto st = stem ? stat_at(dir, file) : std::nullopt;
        if (!st || !S_ISREG(st->st_mode)) continue;
        out.push_back({std::move(*stem), file, static_cast<std::uint64_t>(st->st_size)});
    }
    return out;
}

std::optional<UniqueFd> find_entries_dir(int root) {
    return find_at(root, kEntriesPath, O_RDONLY | O_DIRECTORY);
}

std::optional<std::string> find_file(int dir, std::string_view file) {
    std::optional<std::string> similar;
    for (const std::string& name : list_dir(dir)) {
        if (!same_name(name, file) || !is_regular(dir, name)) continue;
        if (name == file) return name;
        similar = name;
    }
    return similar;
}

std::vector<std::string> files_of_stem(int dir, std::string_view stem) {
    std::vector<std::string> out;
    for (const std::string& file : list_dir(dir)) {
        const auto name = parse_entry_name(file);
        if (name && same_name(name->stem, stem) && is_regular(dir, file)) out.push_back(file);
    }
    return out;
}

void require_fresh_stem(int dir, const std::string& stem, std::string_view except) {
    for (const std::string& file : files_of_stem(dir, stem)) {
        if (file == except) continue;
        throw Error(
            ErrorCode::Busy,
            "the boot entry '" + printable(file, 255) + "' has the stem '" + stem + "' already",
            "look at EFI/Linux on the EFI system partition and remove one of the two");
    }
}

void require_valid_name(const EntryName& name) {
    const std::string file = format_entry_name(name);
    const bool plain_stem = !name.stem.empty() && name.stem.find('+') == std::string::npos;
    if (plain_stem && is_safe_entry_file(file)) return;
    throw Error(ErrorCode::InvalidArgs,
                "'" + printable(file, 300) +
                    "' cannot name a boot entry: expected lower-case letters, digits, '.', '_' and "
                    "'-', at most 255 characters, not beginning with '.' or 'auto-'",
                "rename the file on the EFI system partition by hand if it is to be managed");
}

void make_durable(int dir, const std::string& file) {
    const UniqueFd fd = open_at(dir, file, O_RDONLY | O_NONBLOCK);
    fsync_file(fd.get(), file);
    sync_file_system(fd.get(), file);
}

}  // namespace cfs::boot
