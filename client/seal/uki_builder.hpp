// SPDX-License-Identifier: Apache-2.0
/// \file Makes a signed UKI from its parts. Calls objcopy, and sbsign or osslsigncode: this is the
/// build side, never the device.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::client {

struct UkiSection {
    std::string name;
    Bytes content;

    bool operator==(const UkiSection&) const = default;
};

struct UkiParts {
    Bytes stub;
    Bytes kernel;
    Bytes initrd;
    std::string cmdline;
    std::string os_release;
};

/// What is added to the stub, in the order of the file: .osrel .cmdline .uname (when the kernel
/// tells its release) .initrd .linux. The kernel comes last, as old stubs unpack it where it lies.
[[nodiscard]] std::vector<UkiSection> uki_sections(const UkiParts& parts);

/// Release ("6.1.0-26-amd64") in an x86 bzImage; empty for anything else.
/// Format: Documentation/arch/x86/boot.rst, kernel_version.
[[nodiscard]] std::string kernel_release(ByteView kernel);

/// Virtual addresses, image base included, for sections added behind those of `stub`, page
/// aligned. Unsupported unless the stub is a PE32+ image.
[[nodiscard]] std::vector<std::uint64_t> section_addresses(ByteView stub,
                                                           const std::vector<UkiSection>& sections);

/// The UKI, not signed. `work` is a private, empty directory for intermediate files.
[[nodiscard]] Bytes build_uki(const UkiParts& parts, const std::string& work);

/// `uki` with a signature. Uses sbsign when it is installed, else osslsigncode. PEM files.
[[nodiscard]] Bytes sign_uki(ByteView uki,
                             const std::string& key,
                             const std::string& certificate,
                             const std::string& work);

}  // namespace cfs::client
