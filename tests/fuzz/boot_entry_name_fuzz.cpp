// SPDX-License-Identifier: Apache-2.0
// Three names, one per line: reading and writing are inverse, versions and entries are ordered.
#include "boot/entry_name.hpp"
#include "boot/loader_order.hpp"
#include "boot/version_compare.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace cfs::boot;

void require(bool condition) {
    if (!condition) std::abort();
}

void check_name(std::string_view file) {
    (void)is_safe_entry_file(file);
    (void)parse_stem(file);
    const auto name = parse_entry_name(file);
    if (!name) return;
    require(!name->stem.empty());
    // Written out again it may look different ("+3" as "+3-0"), but means the same.
    require(parse_entry_name(format_entry_name(*name)) == name);
}

void check_stem(std::string_view id, std::string_view version) {
    const std::string stem = make_stem(id, version, 7, cfs::Digest());
    require(is_safe_entry_file(format_entry_name({stem, Counter{2, 0}})));
    require(stem.find('+') == std::string::npos);
    require(parse_stem(stem).has_value());
}

int sign(int value) {
    return (value > 0) - (value < 0);
}

void check_order(const std::array<std::string_view, 3>& words) {
    for (const auto a : words) {
        require(compare_versions(a, a) == 0);
        for (const auto b : words) {
            require(sign(compare_versions(a, b)) == -sign(compare_versions(b, a)));
            for (const auto c : words) {
                const bool chain = compare_versions(a, b) <= 0 && compare_versions(b, c) <= 0;
                if (chain) require(compare_versions(a, c) <= 0);
            }
        }
    }
}

void check_loader_order(const std::array<std::string_view, 3>& words) {
    std::vector<LoaderEntry> entries;
    for (const auto word : words) {
        LoaderEntry entry;
        entry.file = std::string(word);
        entry.name = parse_entry_name(word).value_or(EntryName{entry.file, std::nullopt});
        entry.sort_key = std::string(word.substr(0, 1));
        entry.version = entry.file;
        entry.size = 1;
        entry.readable = true;
        entries.push_back(entry);
    }
    require(loader_order(entries, EntryIds::WithCounter).size() == entries.size());
    require(loader_order(entries, EntryIds::WithoutCounter).size() == entries.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::array<std::string_view, 3> words;
    for (auto& word : words) {
        const auto end = rest.find('\n');
        word = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        check_name(word);
    }
    check_stem(words[0], words[1]);
    check_order(words);
    check_loader_order(words);
    return 0;
}
