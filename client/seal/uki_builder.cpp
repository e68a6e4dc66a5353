// SPDX-License-Identifier: Apache-2.0
#include "client/seal/uki_builder.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "client/seal/process.hpp"
#include "uki/pe.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace cfs::client {
namespace {

constexpr std::uint64_t kPage = 4096;

Bytes to_bytes(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

void write_file(const std::string& dir, const std::string& name, ByteView content) {
    replace_file_at(open_root(dir).get(), name, content, 0600);
}

Bytes read_file(const std::string& dir, const std::string& name) {
    return read_file_at(open_root(dir).get(), name, uki::kMaxPeSize);
}

std::uint64_t align(std::uint64_t value) {
    return (value + kPage - 1) / kPage * kPage;
}

/// ImageBase of the optional header. \pre parse_pe accepted `stub`, so the headers are there.
std::uint64_t image_base(ByteView stub) {
    const std::size_t optional = load_le<std::uint32_t>(stub, 0x3c) + std::size_t{24};
    const auto magic = load_le<std::uint16_t>(stub, optional);
    if (magic != 0x20b) {
        throw Error(
            ErrorCode::Unsupported,
            "the stub is no PE32+ image (magic " + std::to_string(magic) + ", expected 523)",
            "take the stub of a 64-bit architecture");
    }
    return load_le<std::uint64_t>(stub, optional + 24);
}

std::string hex_number(std::uint64_t value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
    return text.data();
}

}  // namespace

std::string kernel_release(ByteView kernel) {
    constexpr std::size_t kHeader = 0x210;
    if (kernel.size() < kHeader || as_text(kernel.subspan(0x202, 4)) != "HdrS") return {};
    const std::size_t start = load_le<std::uint16_t>(kernel, 0x20e) + std::size_t{0x200};
    if (start == 0x200 || start >= kernel.size()) return {};
    const std::string_view text =
        as_text(kernel.subspan(start, std::min<std::size_t>(256, kernel.size() - start)));
    const std::size_t end = text.find_first_of(std::string_view(" \0", 2));
    return end == std::string_view::npos ? std::string() : std::string(text.substr(0, end));
}

std::vector<UkiSection> uki_sections(const UkiParts& parts) {
    std::vector<UkiSection> out = {
        {".osrel", to_bytes(parts.os_release)},
        {".cmdline", to_bytes(parts.cmdline)},
    };
    const std::string release = kernel_release(parts.kernel);
    if (!release.empty()) out.push_back({".uname", to_bytes(release)});
    out.push_back({".initrd", parts.initrd});
    out.push_back({".linux", parts.kernel});
    return out;
}

std::vector<std::uint64_t> section_addresses(ByteView stub,
                                             const std::vector<UkiSection>& sections) {
    const uki::PeImage pe = uki::parse_pe(stub);
    std::uint64_t next = image_base(stub);
    std::uint64_t end = 0;
    for (const uki::PeSection& section : pe.sections()) {
        end = std::max(end, std::uint64_t{section.virtual_address} + section.virtual_size);
    }
    next += align(end);
    std::vector<std::uint64_t> out;
    for (const UkiSection& section : sections) {
        out.push_back(next);
        next += align(std::max<std::uint64_t>(1, section.content.size()));
    }
    return out;
}

Bytes build_uki(const UkiParts& parts, const std::string& work) {
    const Bytes& stub = parts.stub;
    const std::vector<UkiSection> sections = uki_sections(parts);
    const std::vector<std::uint64_t> addresses = section_addresses(stub, sections);
    write_file(work, "stub", stub);
    // Its clock is the stub's: the same parts are to give the same UKI, and so the same update.
    std::vector<std::string> command = {"objcopy", "--preserve-dates"};
    for (std::size_t i = 0; i < sections.size(); ++i) {
        const std::string& name = sections[i].name;
        write_file(work, "section" + name, sections[i].content);
        command.insert(command.end(),
                       {"--add-section",
                        name + "=" + work + "/section" + name,
                        "--change-section-vma",
                        name + "=" + hex_number(addresses[i])});
    }
    command.insert(command.end(), {work + "/stub", work + "/uki"});
    with_context("putting the UKI together", [&] { run_program(command, "binutils"); });
    return read_file(work, "uki");
}

Bytes sign_uki(ByteView uki,
               const std::string& key,
               const std::string& certificate,
               const std::string& work) {
    write_file(work, "unsigned", uki);
    const std::string in = work + "/unsigned";
    const std::string out = work + "/signed";
    std::vector<std::string> command = {
        "sbsign", "--key", key, "--cert", certificate, "--output", out, in};
    if (!have_program("sbsign") && have_program("osslsigncode")) {
        command = {"osslsigncode",
                   "sign",
                   "-h",
                   "sha256",
                   "-key",
                   key,
                   "-certs",
                   certificate,
                   "-in",
                   in,
                   "-out",
                   out};
    }
    with_context("signing the UKI", [&] { run_program(command, "sbsigntool"); });
    return read_file(work, "signed");
}

}  // namespace cfs::client
