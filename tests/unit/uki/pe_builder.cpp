// SPDX-License-Identifier: Apache-2.0
#include "unit/uki/pe_builder.hpp"

#include "base/error.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace cfs::test {
namespace {

constexpr std::size_t kFileAlignment = 512;
constexpr std::size_t kPage = 4096;

std::size_t align(std::size_t value, std::size_t to) {
    return (value + to - 1) / to * to;
}

template <typename T>
void put(Bytes& bytes, std::size_t offset, std::size_t value) {
    store_le<T>(bytes, offset, static_cast<T>(value));
}

void put_headers(Bytes& out, std::size_t sections, std::size_t headers, std::size_t image) {
    out[0] = 'M';
    out[1] = 'Z';
    put<std::uint32_t>(out, 0x3c, kPe);
    put<std::uint32_t>(out, kPe, 0x4550);
    put<std::uint16_t>(out, kPe + 4, 0x8664);
    put<std::uint16_t>(out, kPe + 6, sections);
    put<std::uint16_t>(out, kPe + 20, 240);
    put<std::uint16_t>(out, kOptional, 0x20b);
    put<std::uint32_t>(out, kOptional + 32, kPage);
    put<std::uint32_t>(out, kOptional + 36, kFileAlignment);
    put<std::uint32_t>(out, kOptional + 56, image);
    put<std::uint32_t>(out, kOptional + 60, headers);
    put<std::uint16_t>(out, kOptional + 68, 10);
    put<std::uint32_t>(out, kOptional + 108, 16);
}

}  // namespace

Bytes read_fixture(const std::string& name) {
    std::ifstream in(std::string(CFS_TEST_DATA "/uki/") + name, std::ios::binary);
    if (!in) throw std::runtime_error("no fixture " + name);
    return Bytes{std::istreambuf_iterator<char>(in), {}};
}

Certificate fixture_certificate(const std::string& name) {
    return Certificate::parse(read_fixture(name + ".pem")).at(0);
}

Bytes build_pe(const Sections& sections) {
    const std::size_t headers = align(kSectionTable + 40 * sections.size(), kFileAlignment);
    Bytes out(headers);
    std::size_t address = align(headers, kPage);
    for (std::size_t i = 0; i < sections.size(); ++i) {
        const auto& [name, content] = sections[i];
        const std::size_t at = kSectionTable + 40 * i;
        std::copy(name.begin(), name.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
        put<std::uint32_t>(out, at + 8, content.size());
        put<std::uint32_t>(out, at + 12, address);
        put<std::uint32_t>(out, at + 16, align(content.size(), kFileAlignment));
        put<std::uint32_t>(out, at + 20, out.size());
        out.insert(out.end(), content.begin(), content.end());
        out.resize(align(out.size(), kFileAlignment));
        address = align(address + content.size(), kPage);
    }
    put_headers(out, sections.size(), headers, address);
    return out;
}

std::string error_of(const std::function<void()>& run) {
    try {
        run();
    } catch (const Error& e) {
        return std::string(to_string(e.code())) + ": " + e.what();
    }
    return "no error";
}

}  // namespace cfs::test
