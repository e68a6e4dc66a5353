// SPDX-License-Identifier: Apache-2.0
#include "uki/pe_parts.hpp"

#include <algorithm>
#include <array>

namespace cfs::uki {
namespace {

constexpr std::size_t kHeaderSize = 8;  // WIN_CERTIFICATE: length, revision, type
constexpr std::size_t kAlignment = 8;
constexpr std::uint16_t kRevision = 0x0200;
constexpr std::uint16_t kTypePkcs = 0x0002;
constexpr std::uint16_t kTypeGuid = 0x0ef1;

// EFI_CERT_TYPE_PKCS7_GUID 4aafd29d-68df-49ee-8aa9-347d375665a7, as it lies in the file.
constexpr std::array<std::uint8_t, 16> kPkcs7Guid = {
    0x9d, 0xd2, 0xaf, 0x4a, 0xdf, 0x68, 0xee, 0x49, 0x8a, 0xa9, 0x34, 0x7d, 0x37, 0x56, 0x65, 0xa7};

[[noreturn]] void bad_entry(std::size_t offset, const std::string& what) {
    bad_pe("the certificate table entry at " + hex(offset) + " " + what);
}

std::size_t aligned(std::size_t length) {
    return (length + kAlignment - 1) / kAlignment * kAlignment;
}

/// Length of the entry at the front of `table`, header included.
std::size_t entry_length(ByteView table, std::size_t offset) {
    if (table.size() <= kHeaderSize) bad_entry(offset, "is cut off");
    const std::size_t length = load_le<std::uint32_t>(table, 0);
    if (length <= kHeaderSize || length > table.size()) {
        bad_entry(offset,
                  "claims " + std::to_string(length) + " bytes; 9 to " +
                      std::to_string(table.size()) + " are possible");
    }
    if (const auto revision = load_le<std::uint16_t>(table, 4); revision != kRevision) {
        bad_entry(offset, "has revision " + hex(revision) + "; 0x200 is expected");
    }
    return length;
}

/// The PKCS#7 bytes of an entry; empty for kinds that firmware ignores.
ByteView pkcs7_of(ByteView entry) {
    const auto type = load_le<std::uint16_t>(entry, 6);
    const ByteView body = entry.subspan(kHeaderSize);
    if (type == kTypePkcs) return body;
    const bool guid = type == kTypeGuid && body.size() > kPkcs7Guid.size() &&
                      std::equal(kPkcs7Guid.begin(), kPkcs7Guid.end(), body.begin());
    return guid ? body.subspan(kPkcs7Guid.size()) : ByteView();
}

}  // namespace

std::vector<PeSignature> parse_certificates(ByteView file, const PeHeaders& headers) {
    std::size_t offset = headers.certificate_offset;
    ByteView rest = file.subspan(offset, headers.certificate_size);
    std::vector<PeSignature> out;
    while (!rest.empty()) {
        const std::size_t length = entry_length(rest, offset);
        if (aligned(length) > rest.size()) {
            bad_entry(offset, "of " + std::to_string(length) + " bytes is not padded to 8 bytes");
        }
        const ByteView padding = rest.subspan(length, aligned(length) - length);
        if (std::any_of(padding.begin(), padding.end(), [](auto byte) { return byte != 0; })) {
            bad_entry(offset, "is padded with other bytes than zeros");
        }
        if (const ByteView pkcs7 = pkcs7_of(rest.first(length)); !pkcs7.empty()) {
            out.push_back({static_cast<std::uint32_t>(offset), pkcs7});
        }
        offset += aligned(length);
        rest = rest.subspan(aligned(length));
    }
    return out;
}

}  // namespace cfs::uki
