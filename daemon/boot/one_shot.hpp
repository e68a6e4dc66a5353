// SPDX-License-Identifier: Apache-2.0
/// \file Choosing the entry of the next boot alone, by an EFI variable. Source: systemd's Boot
/// Loader Interface (LoaderEntryOneShot, LoaderFeatures); efivarfs for the file's form: four bytes
/// of attributes, then the text in UTF-16 with a NUL.
#pragma once

#include <string>

namespace cfs::boot {

/// Why the loader would not take such a choice, or why it cannot be written; empty if nothing that
/// can be seen beforehand speaks against it. Writes nothing.
[[nodiscard]] std::string why_no_one_shot(const std::string& efivars);

/// The loader starts the entry that `pattern` (ASCII; "*" and "?" in it) names, once. Durable when
/// it returns; nothing is written where it says so already, because such memory wears out. After a
/// crash the old choice is there, the new one, or none. \throws Error Unsupported with what stops
/// it, Io when the firmware fails
void set_one_shot(const std::string& efivars, const std::string& pattern);

/// Ends that, if it is this choice; another one, or none, is left alone. \throws Error as
/// set_one_shot()
void clear_one_shot(const std::string& efivars, const std::string& pattern);

}  // namespace cfs::boot
