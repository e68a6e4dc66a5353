// SPDX-License-Identifier: Apache-2.0
/// \file Names of boot entries: "<stem>+<tries left>-<tries done>.efi", or "<stem>.efi" once
/// proven. Rules: Boot Loader Specification, boot counting, and systemd-boot's reading of it.
#pragma once

#include "crypto/digest.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::boot {

/// The loader moves one from `left` to `done` before each try; left == 0 marks the entry bad.
struct Counter {
    unsigned left = 0;
    unsigned done = 0;

    bool operator==(const Counter&) const = default;
};

/// Of an entry that loaders take last: "+0-1".
inline constexpr Counter kDemoted{0, 1};

/// A name taken apart. One deployment has one stem, whatever its counter says just now.
struct EntryName {
    std::string stem;
    std::optional<Counter> counter;

    bool operator==(const EntryName&) const = default;
};

/// nullopt unless `file` ends in ".efi" (any case) after a non-empty stem. "+3" alone counts as
/// "+3-0"; what does not read as a counter is part of the stem. Case is kept.
[[nodiscard]] std::optional<EntryName> parse_entry_name(std::string_view file);

/// Counters are not padded: loaders up to 257 do not pad either.
[[nodiscard]] std::string format_entry_name(const EntryName& name);

/// "<id>_<version>-<serial, 6 digits or more>-<first 8 hex of image>": lower case, only
/// [a-z0-9._-], never a '+', never a beginning that loaders skip, and short enough for every file
/// name made from it. Characters that do not fit become '_'; `id` and `version` are cut after 64.
[[nodiscard]] std::string make_stem(std::string_view id,
                                    std::string_view version,
                                    std::uint64_t serial,
                                    const Digest& image);

/// What make_stem put at the end.
struct StemTail {
    std::uint64_t serial = 0;
    std::string image_prefix;  ///< 8 lowercase hex digits
};

/// nullopt when the stem is not of make_stem's form: another tool's entry.
[[nodiscard]] std::optional<StemTail> parse_stem(std::string_view stem);

/// Are these the same name on a file system that ignores ASCII case, as FAT does?
[[nodiscard]] bool same_name(std::string_view a, std::string_view b);

/// ASCII letters in lower case.
[[nodiscard]] std::string lower_case(std::string_view text);

/// Do loaders skip a file of this name ("." or "auto-" in front)?
[[nodiscard]] bool is_skipped_name(std::string_view file);

/// May we create or rename to this name: [a-z0-9._+-] only, ".efi" at the end, at most 255 bytes?
[[nodiscard]] bool is_safe_entry_file(std::string_view file);

}  // namespace cfs::boot
