// SPDX-License-Identifier: Apache-2.0
// The half of UkiEsp that only looks.
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "boot/esp_names.hpp"
#include "boot/loader_config.hpp"
#include "boot/uki_esp.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

namespace cfs::boot {
namespace {

void fill_from(LoaderEntry& entry, UkiDescription description) {
    entry.sort_key = std::move(description.sort_key);
    entry.version = std::move(description.version);
    entry.machine_id = std::move(description.machine_id);
    entry.title = std::move(description.title);
    entry.readable = true;
}

void note(LoaderEntry& entry, std::string_view problem) {
    if (!entry.problem.empty()) entry.problem += "; ";
    entry.problem += problem;
}

/// What loaders list and still trips over later.
void note_odd_names(std::vector<LoaderEntry>& entries) {
    for (LoaderEntry& entry : entries) {
        if (entry.file != lower_case(entry.file)) {
            note(entry, "upper-case letters in the name: loaders cannot select it by name");
        }
        for (const LoaderEntry& other : entries) {
            if (&other == &entry || !same_name(other.name.stem, entry.name.stem)) continue;
            note(entry, "'" + printable(other.file, 255) + "' is the same entry a second time");
        }
    }
}

}  // namespace

LoaderEntry UkiEsp::describe_entry(int dir, const std::string& file) {
    LoaderEntry entry;
    entry.file = file;
    entry.name = parse_entry_name(file).value_or(EntryName{file, std::nullopt});
    try {
        const auto st = stat_at(dir, file);
        entry.size = st && S_ISREG(st->st_mode) ? static_cast<std::uint64_t>(st->st_size) : 0;
        if (!st || !S_ISREG(st->st_mode)) {
            note(entry, "not a regular file");
        } else if (entry.size == 0) {
            note(entry, "an empty file: a copy or a rename was cut short");
        } else if (auto description = describe_(open_at(dir, file, O_RDONLY | O_NONBLOCK).get())) {
            fill_from(entry, std::move(*description));
        } else {
            note(entry, "not a unified kernel image that loaders list");
        }
    } catch (const Error& e) {
        // One bad entry is a fact to show, never a reason to fail: the status must come out.
        note(entry, e.what());
    }
    return entry;
}

std::vector<LoaderEntry> UkiEsp::list() {
    const auto dir = find_entries_dir(root_.get());
    std::vector<LoaderEntry> out;
    if (!dir) return out;
    for (const std::string& file : list_dir(dir->get())) {
        if (is_skipped_name(file) || !parse_entry_name(file)) continue;
        out.push_back(describe_entry(dir->get(), file));
    }
    note_odd_names(out);
    return out;
}

std::vector<StagedFile> UkiEsp::staged() {
    const auto dir = find_entries_dir(root_.get());
    std::vector<StagedFile> out;
    if (!dir) return out;
    for (const std::string& file : list_dir(dir->get())) {
        auto stem = staged_stem(file);
        const auto st = stem ? stat_at(dir->get(), file) : std::nullopt;
        if (!st || !S_ISREG(st->st_mode)) continue;
        out.push_back({std::move(*stem), file, static_cast<std::uint64_t>(st->st_size)});
    }
    return out;
}

std::optional<UniqueFd> UkiEsp::open(const std::string& file) {
    const auto dir = find_entries_dir(root_.get());
    const auto actual = dir ? find_file(dir->get(), file) : std::nullopt;
    if (!actual) return std::nullopt;
    return find_at(dir->get(), *actual, O_RDONLY | O_NONBLOCK);
}

EspSpace UkiEsp::space() {
    const FreeSpace free = free_space(root_.get());
    return {free.available, free.block, free.total};
}

std::string UkiEsp::predict(const std::vector<LoaderEntry>& uki_entries, EntryIds ids) {
    std::vector<LoaderEntry> all = uki_entries;
    for (LoaderEntry& entry : list_type1(root_.get()))
        all.push_back(std::move(entry));
    return choose(loader_order(std::move(all), ids), read_default_pattern(root_.get()), ids);
}

std::string UkiEsp::predict_next() {
    return predict(list(), EntryIds::WithoutCounter);
}

std::string UkiEsp::predict_after(const StagedUki& staged, const UkiDescription& description) {
    LoaderEntry entry;
    entry.file = format_entry_name(staged.final_name);
    entry.name = staged.final_name;
    entry.size = staged.size;
    fill_from(entry, description);
    std::vector<LoaderEntry> entries = list();
    entries.push_back(entry);
    const std::string older = predict(entries, EntryIds::WithCounter);
    return older == entry.file ? predict(entries, EntryIds::WithoutCounter) : older;
}

}  // namespace cfs::boot
