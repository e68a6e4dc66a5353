// SPDX-License-Identifier: Apache-2.0
/// \file The steps of parse_pe. Private to the pe*.cpp files.
#pragma once

#include "uki/pe.hpp"

#include <string>

namespace cfs::uki {

/// What the headers say, checked against each other and the file's size. Offsets are in the file.
struct PeHeaders {
    std::uint16_t machine = 0;
    std::uint16_t subsystem = 0;
    std::uint32_t headers_size = 0;     ///< SizeOfHeaders
    std::uint32_t image_size = 0;       ///< SizeOfImage: bytes in memory
    std::size_t checksum_offset = 0;    ///< of the 4 bytes that Authenticode leaves out
    std::size_t certificate_entry = 0;  ///< of the 8 byte directory entry, left out as well
    std::uint32_t certificate_offset = 0;
    std::uint32_t certificate_size = 0;  ///< 0 together with the offset: not signed
    std::size_t section_table = 0;
    std::size_t section_count = 0;
};

/// "a PE image of <what>": BadFormat with the usual hint.
[[noreturn]] void bad_pe(const std::string& what);

/// "0x1f0": how offsets read in messages.
[[nodiscard]] std::string hex(std::uint64_t value);

[[nodiscard]] PeHeaders parse_headers(ByteView file);

/// The section table; each section lies in the file behind the headers, and in memory within
/// SizeOfImage behind the headers, apart from the others.
[[nodiscard]] std::vector<PeSection> parse_sections(ByteView file, const PeHeaders& headers);

/// Walks the WIN_CERTIFICATE entries; the walk must end exactly at the table's end.
[[nodiscard]] std::vector<PeSignature> parse_certificates(ByteView file, const PeHeaders& headers);

}  // namespace cfs::uki
