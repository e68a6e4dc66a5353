// SPDX-License-Identifier: Apache-2.0
/// \file What else on an ESP decides the loader's choice: type-1 entries and loader.conf.
/// Rules: Boot Loader Specification, type 1; loader.conf(5). Input is anybody's: the ESP is not
/// authenticated.
#pragma once

#include "boot/loader_order.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::boot {

/// A type-1 entry file.
struct Type1Entry {
    LoaderEntry entry;
    std::string program;  ///< path of the kernel or EFI program from the ESP's root, no leading
                          ///< '/'; empty when the text names none
    std::string architecture;  ///< empty, or as the text says: "x64", "aa64", ...
};

/// `file`: "<name>[+L-D].conf"; nullopt for names that loaders skip. Never throws: lines that make
/// no sense are ignored, as loaders do.
[[nodiscard]] std::optional<Type1Entry> parse_type1(std::string_view file, std::string_view text);

/// The `default` pattern of loader.conf; empty when there is none or it names a variable ("@...").
[[nodiscard]] std::string default_pattern(std::string_view loader_conf);

/// Entries of loader/entries that the loader would list, sorted by file name. Unreadable ones are
/// left out.
[[nodiscard]] std::vector<LoaderEntry> list_type1(int root_fd);

/// `default` pattern of the ESP's loader.conf; empty if none.
[[nodiscard]] std::string read_default_pattern(int root_fd);

/// The first that `pattern` selects; empty for none, or no pattern.
[[nodiscard]] std::string find_selected(const std::vector<LoaderEntry>& ordered,
                                        const std::string& pattern,
                                        EntryIds ids);

/// File name that the loader boots, given what it lists in which order; empty for no entry.
[[nodiscard]] std::string choose(const std::vector<LoaderEntry>& ordered,
                                 const std::string& pattern,
                                 EntryIds ids);

}  // namespace cfs::boot
