// SPDX-License-Identifier: Apache-2.0
/// \file The boot loader's variables, as efivarfs or a directory that stands for it shows them.
#pragma once

#include <optional>
#include <string>

namespace cfs::boot {

/// What overrides the loader's order: patterns for names of entries, "*" and "?" in them. Empty
/// where nothing does.
struct LoaderChoice {
    std::string one_shot;  ///< LoaderEntryOneShot: of the next boot alone
    std::string
        standing;  ///< LoaderEntryDefault, or the entry booted last where that says "@saved"
};

/// Text of a variable of systemd's loader interface ("LoaderEntryDefault"); nullopt where it is not
/// there, is no short text, or cannot be read: whoever wrote it, it stops nothing.
[[nodiscard]] std::optional<std::string> loader_variable(const std::string& efivars,
                                                         const std::string& name);

[[nodiscard]] LoaderChoice loader_choice(const std::string& efivars);

}  // namespace cfs::boot
