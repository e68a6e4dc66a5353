// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/pkcs7.hpp"
#include "uki/pe.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cfs::uki {

struct SignerInfo {
    std::string subject;  ///< of the certificate that signed
    Digest fingerprint;   ///< SHA-256 of that certificate
    std::string anchor;   ///< subject of the trusted certificate it is or chains to
    Digest anchor_fingerprint;
};

/// At least one of the image's signatures is intact, over these bytes, and by one of `anchors` (or
/// a certificate below it). Throws SignatureInvalid: "not signed", "changed after signing", "not
/// among the N trusted certificates", ... With several signatures, what is wrong with each.
SignerInfo verify_authenticode(const PeImage& image,
                               const std::vector<Certificate>& anchors,
                               const SignaturePolicy& policy = {});

/// Without anchors, for machines that trust nobody in particular: a signature that is there must be
/// intact and over these bytes. nullopt when the image is not signed; the anchor fields of the
/// result are empty.
std::optional<SignerInfo> verify_intact(const PeImage& image, const SignaturePolicy& policy = {});

}  // namespace cfs::uki
