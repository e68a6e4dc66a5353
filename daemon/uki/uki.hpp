// SPDX-License-Identifier: Apache-2.0
/// \file Unified kernel images (UAPI.5): a boot stub, a kernel and what it needs, as PE sections.
#pragma once

#include "uki/cmdline.hpp"
#include "uki/os_release.hpp"
#include "uki/pe.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::uki {

/// What this project reads from a UKI; a value that outlives the file's bytes.
struct Uki {
    /// Of every profile what it boots with, the default profile first; one when there are no
    /// profiles. Control characters are spaces, ends trimmed, as the stub does.
    std::vector<std::string> cmdlines;
    OsRelease osrel;    ///< of the default profile
    std::string uname;  ///< kernel release; empty when not recorded
    std::uint16_t machine = 0;
    std::string architecture;  ///< OCI word
    bool has_initrd = false;
    Digest authenticode;     ///< SHA-256 of the image without its signatures
    std::uint64_t size = 0;  ///< bytes of the file

    [[nodiscard]] const std::string& cmdline() const { return cmdlines.front(); }

    /// The argument that decides which image is mounted, the same in every profile. Throws
    /// BadFormat when a profile names none, a malformed one, or another one than the default.
    [[nodiscard]] ComposefsArg composefs() const;
};

/// Throws BadFormat for everything that a boot loader would not list, that it would read
/// differently than we do, or that kernel or firmware would cut: not an EFI application, a missing
/// .linux or .osrel, a section given twice within a profile, a command line with a NUL inside, too
/// long or not UTF-8, an os-release that does not parse or yields no name, an unknown machine.
[[nodiscard]] Uki parse_uki(const PeImage& pe);
[[nodiscard]] Uki parse_uki(ByteView file);

}  // namespace cfs::uki
