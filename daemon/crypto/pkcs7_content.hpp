// SPDX-License-Identifier: Apache-2.0
/// \file What an Authenticode signature signs: the SPC indirect data content, and how firmware
/// reads it. Private to pkcs7.cpp. Everything throws SignatureInvalid.
#pragma once

#include "crypto/pkcs7.hpp"

#include <string>

namespace cfs::spc {

inline constexpr const char* kIndirectData = "1.3.6.1.4.1.311.2.1.4";

/// \param hint empty for the usual one: sign the image again
[[noreturn]] void refuse(std::string what, std::string hint = {});
[[noreturn]] void broken(const std::string& what);
[[noreturn]] void unreadable_by_firmware(const std::string& what);

/// \param nid   OpenSSL's number of a hash algorithm
/// \param where whose algorithm it is, for the message
[[nodiscard]] SignatureHash hash_from_nid(int nid, const std::string& where);
[[nodiscard]] int nid_of(SignatureHash hash);

struct ImageDigest {
    SignatureHash hash;
    Bytes digest;
};

/// \param der the content's SEQUENCE; returns it without tag and length, which is what is signed
[[nodiscard]] ByteView inside_sequence(ByteView der);

/// SpcIndirectDataContent ::= SEQUENCE { SEQUENCE { OID kind, ... }, DigestInfo }
/// \param content without the outer tag and length
[[nodiscard]] ImageDigest parse_indirect_data(ByteView content);

/// edk2 parses no ASN.1 to learn the hash algorithm: it looks at fixed offsets of the blob.
void check_firmware_shape(ByteView blob, SignatureHash hash);

}  // namespace cfs::spc
