// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cfs::uki {

/// PE machine number -> OCI architecture word: "amd64", "arm64", "386", "arm", "riscv64",
/// "loong64". nullopt for any other machine.
[[nodiscard]] std::optional<std::string_view> oci_architecture(std::uint16_t machine);

/// Inverse; nullopt for a word without a PE machine.
[[nodiscard]] std::optional<std::uint16_t> pe_machine(std::string_view oci_architecture);

/// The PE32+ format (64-bit), rather than PE32, is what that machine's firmware loads; nullopt for
/// a machine not listed above.
[[nodiscard]] std::optional<bool> is_64bit(std::uint16_t machine);

/// "EFI machine 0x8664 (amd64)" for messages.
[[nodiscard]] std::string describe_machine(std::uint16_t machine);

}  // namespace cfs::uki
