// SPDX-License-Identifier: Apache-2.0
#include "uki/machine.hpp"
#include "uki/pe_parts.hpp"

#include <algorithm>

namespace cfs::uki {
namespace {

constexpr std::size_t kDosHeaderSize = 64;
constexpr std::size_t kPeOffsetField = 0x3c;
constexpr std::size_t kPeAlignment = 8;
constexpr std::size_t kCoffSize = 24;  // with the signature in front
constexpr std::size_t kSectionHeaderSize = 40;
constexpr std::size_t kMaxSections = 1024;  // 256 profiles of a UKI, with a few sections each
constexpr std::uint16_t kMagic32 = 0x10b;
constexpr std::uint16_t kMagic64 = 0x20b;
constexpr std::size_t kDirectories32 = 96;  // from the optional header's start
constexpr std::size_t kDirectories64 = 112;
constexpr std::size_t kDirectorySize = 8;
constexpr std::uint32_t kMinDirectories = 5;  // the fifth is the certificate table
constexpr std::uint32_t kMaxDirectories = 16;

void need(ByteView file, std::size_t offset, std::size_t size, const char* what) {
    if (offset > file.size() || size > file.size() - offset) {
        bad_pe("the file of " + std::to_string(file.size()) + " bytes ends inside the " + what +
               " at " + hex(offset));
    }
}

/// Offset of the "PE\0\0" signature.
std::size_t find_pe_header(ByteView file) {
    need(file, 0, kDosHeaderSize, "DOS header");
    if (file[0] != 'M' || file[1] != 'Z') bad_pe("it does not start with 'MZ'");
    const std::size_t offset = load_le<std::uint32_t>(file, kPeOffsetField);
    if (offset < kDosHeaderSize)
        bad_pe("the PE header at " + hex(offset) + " overlaps the DOS header");
    if (offset % kPeAlignment != 0) {
        bad_pe("the PE header at " + hex(offset) + " is not aligned to 8 bytes");
    }
    need(file, offset, kCoffSize, "PE header");
    if (load_le<std::uint32_t>(file, offset) != 0x4550) {
        bad_pe("no 'PE' signature at " + hex(offset));
    }
    return offset;
}

/// Whether the optional header has the 64-bit form; the machine decides which one is right.
bool parse_magic(ByteView file, std::size_t optional, std::uint16_t machine) {
    const auto magic = load_le<std::uint16_t>(file, optional);
    if (magic != kMagic32 && magic != kMagic64) {
        bad_pe("optional header magic " + hex(magic) + "; 0x10b or 0x20b is expected");
    }
    const bool wide = magic == kMagic64;
    if (is_64bit(machine).value_or(wide) != wide) {
        bad_pe(std::string(wide ? "PE32+" : "PE32") + " headers do not fit " +
               describe_machine(machine));
    }
    return wide;
}

/// Offset of the data directories, whose number and the header's size must agree.
std::size_t parse_directories(ByteView file,
                              std::size_t optional,
                              std::size_t optional_size,
                              bool wide) {
    const std::size_t fixed = wide ? kDirectories64 : kDirectories32;
    need(file, optional, fixed, "optional header");
    const auto count = load_le<std::uint32_t>(file, optional + fixed - 4);
    if (count < kMinDirectories || count > kMaxDirectories) {
        bad_pe(std::to_string(count) + " data directories; 5 to 16 are expected");
    }
    if (optional_size != fixed + count * kDirectorySize) {
        bad_pe("the optional header has " + std::to_string(optional_size) + " bytes; " +
               std::to_string(fixed + count * kDirectorySize) + " are expected for " +
               std::to_string(count) + " data directories");
    }
    need(file, optional, optional_size, "optional header");
    return optional + fixed;
}

void check_section_table(ByteView file, const PeHeaders& headers) {
    if (headers.section_count == 0) bad_pe("it has no sections");
    if (headers.section_count > kMaxSections) {
        bad_pe(std::to_string(headers.section_count) + " sections; at most " +
               std::to_string(kMaxSections) + " are accepted");
    }
    const std::size_t end = headers.section_table + headers.section_count * kSectionHeaderSize;
    need(file, headers.section_table, end - headers.section_table, "section table");
    if (headers.headers_size < end) {
        bad_pe("SizeOfHeaders " + hex(headers.headers_size) +
               " leaves part of the section table (to " + hex(end) + ") unhashed");
    }
    if (headers.headers_size > file.size()) {
        bad_pe("SizeOfHeaders " + hex(headers.headers_size) + " is more than the file's size " +
               hex(file.size()));
    }
}

PeSection parse_section(ByteView file, std::size_t at, const PeHeaders& headers) {
    PeSection out;
    const std::string_view name = as_text(file.subspan(at, 8));
    out.name = name.substr(0, name.find('\0'));
    out.virtual_size = load_le<std::uint32_t>(file, at + 8);
    out.virtual_address = load_le<std::uint32_t>(file, at + 12);
    const auto raw_size = load_le<std::uint32_t>(file, at + 16);
    out.raw_offset = load_le<std::uint32_t>(file, at + 20);
    if (raw_size == 0) return out;
    const std::string title = "section '" + printable(out.name) + "' ";
    const std::uint64_t end = std::uint64_t{out.raw_offset} + raw_size;
    if (out.raw_offset < headers.headers_size) {
        bad_pe(title + "at file offset " + hex(out.raw_offset) + " lies inside the headers (to " +
               hex(headers.headers_size) + ")");
    }
    if (end > file.size()) {
        bad_pe(title + "reaches to " + hex(end) + ", beyond the end of the file at " +
               hex(file.size()));
    }
    out.raw = file.subspan(out.raw_offset, raw_size);
    return out;
}

/// Firmware loads the raw size when there is no virtual one.
std::uint64_t loaded_size(const PeSection& section) {
    return section.virtual_size != 0 ? section.virtual_size : section.raw.size();
}

/// A later section over an earlier one would replace in memory what was read from the file.
void check_memory(std::vector<PeSection> sections, const PeHeaders& headers) {
    std::sort(sections.begin(), sections.end(), [](const PeSection& a, const PeSection& b) {
        return a.virtual_address < b.virtual_address;
    });
    std::uint64_t end = headers.headers_size;
    std::string before = "the headers";
    for (const PeSection& section : sections) {
        if (loaded_size(section) == 0) continue;
        const std::string title = "section '" + printable(section.name) + "'";
        if (section.virtual_address < end) {
            bad_pe(title + " at address " + hex(section.virtual_address) + " overlaps " + before +
                   " in memory");
        }
        end = section.virtual_address + loaded_size(section);
        before = title;
        if (end > headers.image_size) {
            bad_pe(title + " reaches to address " + hex(end) + ", beyond SizeOfImage " +
                   hex(headers.image_size));
        }
    }
}

}  // namespace

PeHeaders parse_headers(ByteView file) {
    const std::size_t pe = find_pe_header(file);
    const std::size_t optional = pe + kCoffSize;
    const auto optional_size = load_le<std::uint16_t>(file, pe + 20);
    need(file, optional, 2, "optional header");
    PeHeaders out;
    out.machine = load_le<std::uint16_t>(file, pe + 4);
    const bool wide = parse_magic(file, optional, out.machine);
    const std::size_t directories = parse_directories(file, optional, optional_size, wide);
    out.image_size = load_le<std::uint32_t>(file, optional + 56);
    out.headers_size = load_le<std::uint32_t>(file, optional + 60);
    out.checksum_offset = optional + 64;
    out.subsystem = load_le<std::uint16_t>(file, optional + 68);
    out.certificate_entry = directories + 4 * kDirectorySize;
    out.certificate_offset = load_le<std::uint32_t>(file, out.certificate_entry);
    out.certificate_size = load_le<std::uint32_t>(file, out.certificate_entry + 4);
    out.section_table = optional + optional_size;
    out.section_count = load_le<std::uint16_t>(file, pe + 6);
    check_section_table(file, out);
    return out;
}

std::vector<PeSection> parse_sections(ByteView file, const PeHeaders& headers) {
    std::vector<PeSection> out;
    out.reserve(headers.section_count);
    for (std::size_t i = 0; i < headers.section_count; ++i) {
        out.push_back(parse_section(file, headers.section_table + i * kSectionHeaderSize, headers));
    }
    check_memory(out, headers);
    return out;
}

}  // namespace cfs::uki
