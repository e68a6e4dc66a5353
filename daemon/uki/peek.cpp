// SPDX-License-Identifier: Apache-2.0
#include "uki/peek.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "uki/pe.hpp"

#include <optional>

namespace cfs::uki {
namespace {

constexpr std::size_t kDosHeader = 64;
constexpr std::size_t kCoffHeader = 24;  // with the signature in front
constexpr std::size_t kSectionHeader = 40;
constexpr std::size_t kSubsystemEnd = 70;  // offset 68 of the optional header, both PE formats
constexpr std::uint64_t kMaxHeaderOffset = std::uint64_t{16} << 20;

[[noreturn]] void refuse(const std::string& why) {
    throw Error(ErrorCode::BadFormat, "not a UKI: " + why);
}

Bytes read_at(int fd, std::uint64_t offset, std::size_t size) {
    Bytes out(size);
    pread_exact(fd, out, offset);
    return out;
}

struct Headers {
    std::uint64_t sections = 0;  ///< file offset of the section table
    std::uint16_t count = 0;
};

Headers read_headers(int fd) {
    const Bytes dos = read_at(fd, 0, kDosHeader);
    if (dos[0] != 'M' || dos[1] != 'Z') refuse("no DOS header");
    const std::uint64_t pe = load_le<std::uint32_t>(dos, 60);
    if (pe > kMaxHeaderOffset) refuse("its PE header lies beyond 16 MiB");
    const Bytes coff = read_at(fd, pe, kCoffHeader);
    if (as_text(ByteView(coff).first(4)) != std::string_view("PE\0\0", 4)) refuse("no PE header");
    const std::size_t optional = load_le<std::uint16_t>(coff, 20);
    if (optional < kSubsystemEnd) refuse("its optional header is cut short");
    const Bytes rest = read_at(fd, pe + kCoffHeader, kSubsystemEnd);
    if (load_le<std::uint16_t>(rest, 68) != kSubsystemEfiApplication) refuse("no EFI application");
    return {pe + kCoffHeader + optional, load_le<std::uint16_t>(coff, 6)};
}

std::string_view name_of(ByteView header) {
    const std::string_view padded = as_text(header.first(8));
    return padded.substr(0, padded.find('\0'));
}

Bytes read_section(int fd, ByteView header) {
    const std::size_t size =
        std::min(load_le<std::uint32_t>(header, 8), load_le<std::uint32_t>(header, 16));
    if (size > kMaxOsReleaseSize) refuse("its os-release has " + std::to_string(size) + " bytes");
    return read_at(fd, load_le<std::uint32_t>(header, 20), size);
}

}  // namespace

OsRelease peek_os_release(int fd) {
    const Headers headers = read_headers(fd);
    const Bytes table = read_at(fd, headers.sections, headers.count * kSectionHeader);
    bool has_linux = false;
    std::optional<Bytes> text;
    for (std::size_t i = 0; i < headers.count; ++i) {
        const ByteView header = ByteView(table).subspan(i * kSectionHeader, kSectionHeader);
        has_linux = has_linux || name_of(header) == ".linux";
        if (name_of(header) == ".osrel" && !text) text = read_section(fd, header);
    }
    if (!has_linux) refuse("no .linux section");
    if (!text) refuse("no .osrel section");
    OsRelease release = OsRelease::parse(as_text(*text));
    if (release.pretty_name().empty()) refuse("its os-release has no name");
    return release;
}

}  // namespace cfs::uki
