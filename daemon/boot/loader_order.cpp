// SPDX-License-Identifier: Apache-2.0
#include "boot/loader_order.hpp"

#include "boot/version_compare.hpp"

#include <algorithm>

namespace cfs::boot {
namespace {

int three_way(std::uint64_t a, std::uint64_t b) {
    return (a > b) - (a < b);
}

bool is_bad(const LoaderEntry& entry) {
    return entry.name.counter && entry.name.counter->left == 0;
}

/// Between two entries that have a sort key.
int compare_described(const LoaderEntry& a, const LoaderEntry& b) {
    if (const int r = a.sort_key.compare(b.sort_key); r != 0) return r;
    if (const int r = a.machine_id.compare(b.machine_id); r != 0) return r;
    return -compare_versions(a.version, b.version);
}

int compare_counters(const LoaderEntry& a, const LoaderEntry& b) {
    if (!a.name.counter || !b.name.counter) return 0;
    if (const int r = three_way(b.name.counter->left, a.name.counter->left); r != 0) return r;
    return three_way(a.name.counter->done, b.name.counter->done);
}

int compare_entries(const LoaderEntry& a, const LoaderEntry& b, EntryIds ids) {
    if (is_bad(a) != is_bad(b)) return is_bad(a) ? 1 : -1;
    if (a.sort_key.empty() != b.sort_key.empty()) return a.sort_key.empty() ? 1 : -1;
    if (!a.sort_key.empty()) {
        if (const int r = compare_described(a, b); r != 0) return r;
    }
    if (const int r = -compare_versions(loader_id(a, ids), loader_id(b, ids)); r != 0) return r;
    return compare_counters(a, b);
}

}  // namespace

std::string loader_id(const LoaderEntry& entry, EntryIds ids) {
    if (ids == EntryIds::WithCounter || !entry.name.counter) return lower_case(entry.file);
    const auto dot = entry.file.rfind('.');
    return lower_case(entry.name.stem + (dot == std::string::npos ? "" : entry.file.substr(dot)));
}

std::vector<LoaderEntry> loader_order(std::vector<LoaderEntry> entries, EntryIds ids) {
    std::erase_if(entries, [](const LoaderEntry& e) { return !e.readable || e.size == 0; });
    std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
        return compare_entries(a, b, ids) < 0;
    });
    return entries;
}

}  // namespace cfs::boot
