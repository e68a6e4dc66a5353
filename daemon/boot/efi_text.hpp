// SPDX-License-Identifier: Apache-2.0
/// \file What boot loaders leave in EFI variables, as efivarfs shows it.
#pragma once

#include <string>
#include <string_view>

namespace cfs::boot {

/// Names below efivars of what systemd-boot tells. The second is there when the entry has tries,
/// and the loader could count them.
inline constexpr const char* kEntrySelected =
    "LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
inline constexpr const char* kBootCountPath =
    "LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// Which partition the loader was started from: a UUID in upper case.
inline constexpr const char* kLoaderDevicePartUuid =
    "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

inline constexpr std::size_t kMaxEfiVariable = 4096;

/// A variable's text (UTF-16, after four bytes of attributes); others than ASCII become '?'.
[[nodiscard]] std::string efi_text(std::string_view content);

}  // namespace cfs::boot
