// SPDX-License-Identifier: Apache-2.0
/// \file X.509 certificates as values. OpenSSL stays behind this header.
#pragma once

#include "crypto/digest.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace cfs {

enum class KeyType : std::uint8_t { Rsa, Ec, Other };

/// One certificate: immutable, copyable, safe to share between threads. Nothing about it is trusted
/// by being parsed; validity dates, usages and chains are the verifier's business.
class Certificate {
 public:
    /// Throws BadFormat unless `der` is exactly one certificate.
    [[nodiscard]] static Certificate from_der(ByteView der);

    /// All certificates of a PEM text (other PEM blocks and text between them are skipped), or the
    /// one of a DER file. Throws BadFormat when there is none, when one does not parse, or above
    /// 1 MiB.
    [[nodiscard]] static std::vector<Certificate> parse(ByteView file);

    [[nodiscard]] ByteView der() const { return der_; }

    /// One line, RFC 2253 order and escapes: "CN=db,O=Example". Printable ASCII.
    [[nodiscard]] const std::string& subject() const { return subject_; }

    /// SHA-256 of the DER bytes: what `openssl x509 -fingerprint -sha256` shows.
    [[nodiscard]] const Digest& fingerprint() const { return fingerprint_; }

    [[nodiscard]] KeyType key_type() const { return key_type_; }

    /// Bits of the modulus (RSA) or of the field (EC).
    [[nodiscard]] unsigned key_bits() const { return key_bits_; }

    /// "RSA 2048", "EC 256", or the name of the key's algorithm.
    [[nodiscard]] const std::string& key_description() const { return key_description_; }

    /// The certificate itself was signed over MD5 or SHA-1.
    [[nodiscard]] bool weak_signature() const { return weak_signature_; }

    friend bool operator==(const Certificate& a, const Certificate& b) { return a.der_ == b.der_; }

 private:
    Certificate() = default;

    Bytes der_;
    std::string subject_;
    Digest fingerprint_;
    KeyType key_type_ = KeyType::Other;
    unsigned key_bits_ = 0;
    std::string key_description_;
    bool weak_signature_ = false;
};

}  // namespace cfs
