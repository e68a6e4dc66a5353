// SPDX-License-Identifier: Apache-2.0
/// \file Authenticode signatures: PKCS#7 signed data around the hash of a PE image.
///
/// The rules are those of UEFI firmware (edk2), so that what passes here also boots, plus stricter
/// ones of our own (no SHA-1, RSA of 2048 bits or more). OpenSSL stays behind this header.
#pragma once

#include "crypto/hasher.hpp"
#include "crypto/x509.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cfs {

/// Hashes that an Authenticode signature may use; SHA-1 and older never get this far.
enum class SignatureHash : std::uint8_t { Sha256, Sha384, Sha512 };

/// "SHA-256", ...
[[nodiscard]] std::string_view to_string(SignatureHash hash);

/// Digest of the concatenation of `ranges`; `done` hears of their pieces.
[[nodiscard]] Bytes hash_ranges(SignatureHash hash,
                                std::span<const ByteView> ranges,
                                const PieceDone& done = {});

struct SignaturePolicy {
    unsigned min_rsa_bits = 2048;

    /// UEFI firmware refuses EC keys although OpenSSL verifies them.
    bool allow_ec = false;
};

/// One Authenticode signature, parsed. Parsing proves its shape only; check_image, check_signature
/// and find_anchor prove the rest. Movable; one thread at a time.
/// Every member throws SignatureInvalid with a message that says which rule is broken.
class AuthenticodeSignature {
 public:
    /// \param blob the PKCS#7 DER of one certificate table entry, with up to 7 zero bytes behind it
    /// Demands: signed data over an SPC indirect data content, exactly one digest algorithm and one
    /// signer, signed attributes naming content type and message digest, the signer's certificate
    /// inside, no SHA-1 or MD5, and the byte layout that edk2 reads at fixed offsets.
    [[nodiscard]] static AuthenticodeSignature parse(ByteView blob);

    AuthenticodeSignature(AuthenticodeSignature&&) noexcept;
    AuthenticodeSignature& operator=(AuthenticodeSignature&&) noexcept;
    ~AuthenticodeSignature();

    /// Of the image, as signed.
    [[nodiscard]] SignatureHash hash() const;
    [[nodiscard]] ByteView image_digest() const;

    [[nodiscard]] const Certificate& signer() const;

    /// The image hashes to what was signed. `ranges` as in PeImage::hashed_ranges; `done` hears of
    /// their pieces.
    void check_image(std::span<const ByteView> ranges, const PieceDone& done = {}) const;

    /// The signer's key made this signature, and policy accepts the key.
    void check_signature(const SignaturePolicy& policy) const;

    /// The anchor that the signer's certificate is, or chains to, trying one after the other like
    /// firmware: any anchor in the chain suffices, dates and usages do not matter.
    [[nodiscard]] const Certificate& find_anchor(const std::vector<Certificate>& anchors,
                                                 const SignaturePolicy& policy) const;

 private:
    struct State;
    explicit AuthenticodeSignature(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cfs
