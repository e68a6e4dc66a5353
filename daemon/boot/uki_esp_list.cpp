// SPDX-License-Identifier: Apache-2.0
// The half of UkiEsp that only looks.
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "boot/esp_names.hpp"
#include "boot/loader_config.hpp"
#include "boot/one_shot.hpp"
#include "boot/uki_esp.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
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

bool is_one_of(const LoaderEntry& entry, const std::vector<std::string>& stems) {
    return std::any_of(stems.begin(), stems.end(), [&](const std::string& stem) {
        return same_name(entry.name.stem, stem);
    });
}

/// Loaders up to 256 know an entry by its name with the counter, later ones without.
std::string pattern_of(const std::string& stem) {
    return lower_case(stem) + "*.efi";
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
    std::vector<LoaderEntry> out;
    for (const OpenVolume* volume : volumes()) {
        const auto dir = find_entries_dir(volume->root.get());
        for (const std::string& file : dir ? list_dir(dir->get()) : std::vector<std::string>()) {
            if (is_skipped_name(file) || !parse_entry_name(file)) continue;
            out.push_back(describe_entry(dir->get(), file));
            out.back().where_new_go = volume == &target_;
        }
    }
    std::stable_sort(
        out.begin(), out.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
    note_odd_names(out);
    return out;
}

std::vector<StagedFile> UkiEsp::staged() {
    std::vector<StagedFile> out;
    for (const UniqueFd& dir : entries_dirs()) {
        for (StagedFile& file : staged_files(dir.get()))
            out.push_back(std::move(file));
    }
    return out;
}

std::optional<UniqueFd> UkiEsp::open(const std::string& file) {
    for (const UniqueFd& dir : entries_dirs()) {
        if (const auto actual = find_file(dir.get(), file))
            return find_at(dir.get(), *actual, O_RDONLY | O_NONBLOCK);
    }
    return std::nullopt;
}

EspSpace UkiEsp::space() {
    const FreeSpace free = free_space(target_.root.get());
    return {free.available, free.block, free.total};
}

std::string UkiEsp::foreign_stage() {
    constexpr const char* kFolder = "loader/entries.staged";
    for (const OpenVolume* volume : volumes()) {
        const auto st = stat_at(volume->root.get(), kFolder);
        if (!st || !S_ISDIR(st->st_mode)) continue;
        if (list_dir(open_dir_at(volume->root.get(), kFolder).get()).empty()) continue;
        return volume->location + "/" + kFolder;
    }
    return {};
}

/// What the loader lists, in its order. Loaders from 257 on give an entry with tries and its twin
/// without the same name, and take them as they come: in the order of the directory.
std::vector<LoaderEntry> UkiEsp::in_order(std::vector<LoaderEntry> uki_entries, EntryIds ids) {
    std::map<std::string, std::size_t> places;
    std::vector<LoaderEntry> all;
    const auto from = volumes();
    for (auto volume = from.rbegin(); volume != from.rend(); ++volume) {  // the ESP comes first
        const int root = (*volume)->root.get();
        for (LoaderEntry& entry : list_type1(root))
            all.push_back(std::move(entry));
        const auto dir = find_entries_dir(root);
        for (std::string& name : dir ? names_as_stored(dir->get()) : std::vector<std::string>())
            places.emplace(std::move(name), places.size());
    }
    const auto place = [&](const LoaderEntry& entry) {
        const auto found = places.find(entry.file);
        return found == places.end() ? places.size() : found->second;
    };
    std::stable_sort(uki_entries.begin(), uki_entries.end(), [&](const auto& a, const auto& b) {
        return place(a) < place(b);
    });
    for (LoaderEntry& entry : uki_entries)
        all.push_back(std::move(entry));
    return loader_order(std::move(all), ids);
}

std::string UkiEsp::predict(std::vector<LoaderEntry> uki_entries,
                            EntryIds ids,
                            const LoaderChoice& choice) {
    const auto ordered = in_order(std::move(uki_entries), ids);
    for (const std::string& pattern : {choice.one_shot, choice.standing}) {
        if (std::string file = find_selected(ordered, pattern, ids); !file.empty()) return file;
    }
    return choose(ordered, read_default_pattern(volumes().back()->root.get()), ids);
}

std::string UkiEsp::predict_by_order(EntryIds ids) {
    return predict(list(), ids, {});
}

std::string UkiEsp::predict_next() {
    return predict(list(), EntryIds::WithoutCounter, loader_choice(efivars_));
}

std::string UkiEsp::predict_after(const StagedUki& staged,
                                  const UkiDescription& description,
                                  const std::vector<std::string>& demoted) {
    LoaderEntry entry;
    entry.file = format_entry_name(staged.final_name);
    entry.name = staged.final_name;
    entry.size = staged.size;
    fill_from(entry, description);
    std::vector<LoaderEntry> entries = list();
    for (LoaderEntry& other : entries) {
        if (is_one_of(other, demoted)) other.name.counter = kDemoted;
    }
    entries.push_back(entry);
    LoaderChoice choice = loader_choice(efivars_);
    choice.one_shot.clear();  // another boot in between changes nothing for this one
    const std::string older = predict(entries, EntryIds::WithCounter, choice);
    if (older != entry.file) return older;
    return predict(std::move(entries), EntryIds::WithoutCounter, choice);
}

std::vector<std::string> UkiEsp::ahead_of(const std::string& stem) {
    std::vector<LoaderEntry> entries = list();
    for (LoaderEntry& entry : entries) {
        const bool is_bad = entry.name.counter && entry.name.counter->left == 0;
        if (is_bad && is_one_of(entry, {stem})) entry.name.counter = Counter{1, 0};
    }
    std::vector<std::string> out;
    for (const EntryIds ids : {EntryIds::WithCounter, EntryIds::WithoutCounter}) {
        const auto ordered = in_order(entries, ids);
        const auto own = std::find_if(ordered.begin(), ordered.end(), [&](const auto& entry) {
            return is_one_of(entry, {stem});
        });
        if (own == ordered.end()) return {};
        for (auto entry = ordered.begin(); entry != own; ++entry) {
            if (!is_one_of(*entry, out)) out.push_back(entry->name.stem);
        }
    }
    return out;
}

std::string UkiEsp::why_no_trial() {
    return why_no_one_shot(efivars_);
}

void UkiEsp::try_once(const std::string& stem) {
    set_one_shot(efivars_, pattern_of(stem));
}

void UkiEsp::forget_once(const std::string& stem) {
    clear_one_shot(efivars_, pattern_of(stem));
}

}  // namespace cfs::boot
