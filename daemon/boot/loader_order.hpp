// SPDX-License-Identifier: Apache-2.0
/// \file In which order systemd-boot (252 to 259) offers what it finds.
#pragma once

#include "boot/entry_name.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::boot {

/// One file that is, or looks like, a boot entry.
struct LoaderEntry {
    std::string file;  ///< name as found, without its folder
    EntryName name;    ///< an unusual name is all stem
    std::string sort_key;
    std::string version;
    std::string machine_id;
    std::string title;
    std::uint64_t size = 0;  ///< bytes
    bool readable = false;   ///< does the loader list it, as far as we can tell?
    std::string problem;     ///< empty, or what is odd about it; odd entries may still be readable
    bool where_new_go = true;  ///< on the file system that new entries go to
};

/// Loaders up to 256 name an entry with its counter, later ones without. The name decides when all
/// else is equal, and it is what `default` patterns are matched against.
enum class EntryIds { WithCounter, WithoutCounter };

/// The lower-case name by which the loader knows the entry.
[[nodiscard]] std::string loader_id(const LoaderEntry& entry, EntryIds ids);

/// Those that the loader lists (readable, not empty), in its order: first is what it boots next
/// when no variable and no `default` pattern says otherwise.
[[nodiscard]] std::vector<LoaderEntry> loader_order(std::vector<LoaderEntry> entries,
                                                    EntryIds ids = EntryIds::WithoutCounter);

}  // namespace cfs::boot
