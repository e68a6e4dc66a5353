// SPDX-License-Identifier: Apache-2.0
#include "boot/loader_config.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace cfs::boot {
namespace {

constexpr std::string_view kSpaces = " \t\r";
constexpr std::size_t kMaxConfig = std::size_t{64} * 1024;
constexpr const char* kEntriesFolder = "loader/entries";
constexpr const char* kLoaderConf = "loader/loader.conf";

#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "x64";
#elif defined(__aarch64__)
constexpr std::string_view kArchitecture = "aa64";
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::string_view kArchitecture = "riscv64";
#else
constexpr std::string_view kArchitecture = "";
#endif

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kSpaces);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

/// Calls `use(key, value)` for each "key value" line.
template <typename Use>
void for_each_setting(std::string_view text, Use use) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty() || line.front() == '#') continue;
        const auto gap = line.find_first_of(kSpaces);
        if (gap == std::string_view::npos) continue;
        use(line.substr(0, gap), trimmed(line.substr(gap)));
    }
}

/// "\EFI\x" or "/EFI/x" -> "EFI/x".
std::string as_relative_path(std::string_view value) {
    std::string path(value);
    std::replace(path.begin(), path.end(), '\\', '/');
    path.erase(0, path.find_first_not_of('/'));
    return path;
}

void set_value(Type1Entry& out, std::string_view key, std::string_view value) {
    const std::pair<std::string_view, std::string*> texts[] = {
        {"title", &out.entry.title},
        {"sort-key", &out.entry.sort_key},
        {"version", &out.entry.version},
        {"machine-id", &out.entry.machine_id},
        {"architecture", &out.architecture},
    };
    for (const auto& [name, target] : texts) {
        if (key == name) *target = std::string(value);
    }
    if (key == "linux" || key == "efi" || key == "uki") out.program = as_relative_path(value);
}

bool is_bootable_here(int root_fd, const Type1Entry& type1) {
    if (type1.program.empty()) return false;
    if (!type1.architecture.empty() && !same_name(type1.architecture, kArchitecture)) return false;
    const auto st = stat_at(root_fd, type1.program);
    return st && S_ISREG(st->st_mode);
}

std::optional<LoaderEntry> read_type1(int root_fd, const std::string& file) {
    try {
        const auto text =
            find_text_at(root_fd, std::string(kEntriesFolder) + "/" + file, kMaxConfig);
        if (!text) return std::nullopt;
        auto type1 = parse_type1(file, *text);
        if (!type1 || !is_bootable_here(root_fd, *type1)) return std::nullopt;
        return std::move(type1->entry);
    } catch (const Error& e) {
        log::debug("boot entry ignored file='" + printable(file) + "': " + e.what());
        return std::nullopt;
    }
}

}  // namespace

std::optional<Type1Entry> parse_type1(std::string_view file, std::string_view text) {
    constexpr std::string_view kSuffix = ".conf";
    if (is_skipped_name(file) || file.size() <= kSuffix.size()) return std::nullopt;
    const std::string_view bare = file.substr(0, file.size() - kSuffix.size());
    if (!same_name(file.substr(bare.size()), kSuffix)) return std::nullopt;
    auto name = parse_entry_name(std::string(bare) + ".efi");
    if (!name) return std::nullopt;
    Type1Entry out;
    out.entry.file = std::string(file);
    out.entry.name = std::move(*name);
    out.entry.size = text.size();
    out.entry.readable = true;
    for_each_setting(text, [&](auto key, auto value) { set_value(out, key, value); });
    return out;
}

std::string default_pattern(std::string_view loader_conf) {
    std::string pattern;
    for_each_setting(loader_conf, [&](auto key, auto value) {
        if (key == "default") pattern = std::string(value);
    });
    return pattern.starts_with('@') ? std::string() : pattern;
}

std::vector<LoaderEntry> list_type1(int root_fd) {
    const auto dir = find_at(root_fd, kEntriesFolder, O_RDONLY | O_DIRECTORY);
    std::vector<LoaderEntry> out;
    if (!dir) return out;
    for (const std::string& file : list_dir(dir->get())) {
        if (auto entry = read_type1(root_fd, file)) out.push_back(std::move(*entry));
    }
    return out;
}

std::string read_default_pattern(int root_fd) {
    try {
        return default_pattern(find_text_at(root_fd, kLoaderConf, kMaxConfig).value_or(""));
    } catch (const Error& e) {
        log::debug(std::string("loader.conf ignored: ") + e.what());
        return {};
    }
}

std::string find_selected(const std::vector<LoaderEntry>& ordered,
                          const std::string& pattern,
                          EntryIds ids) {
    if (pattern.empty()) return {};
    const auto found = std::find_if(ordered.begin(), ordered.end(), [&](const LoaderEntry& entry) {
        const std::string id = loader_id(entry, ids);
        return ::fnmatch(pattern.c_str(), id.c_str(), FNM_CASEFOLD | FNM_NOESCAPE) == 0;
    });
    return found == ordered.end() ? std::string() : found->file;
}

std::string choose(const std::vector<LoaderEntry>& ordered,
                   const std::string& pattern,
                   EntryIds ids) {
    if (ordered.empty()) return {};
    const std::string selected = find_selected(ordered, pattern, ids);
    return selected.empty() ? ordered.front().file : selected;
}

}  // namespace cfs::boot
