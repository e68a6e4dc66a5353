// SPDX-License-Identifier: Apache-2.0
#include "uki/authenticode.hpp"

#include "base/error.hpp"

#include <functional>

namespace cfs::uki {
namespace {

using Judge = std::function<SignerInfo(const AuthenticodeSignature&)>;

/// The first signature that `judge` accepts. Firmware does the same: one good signature suffices,
/// so that images can be signed with an old and a new key.
SignerInfo any_signature(const PeImage& image, const SignaturePolicy& policy, const Judge& judge) {
    std::vector<Error> failures;
    for (const PeSignature& entry : image.signatures()) {
        try {
            const auto signature = AuthenticodeSignature::parse(entry.pkcs7);
            signature.check_image(image.hashed_ranges(), image.piece_done());
            signature.check_signature(policy);
            return judge(signature);
        } catch (const Error& e) {
            if (e.code() != ErrorCode::SignatureInvalid) throw;
            failures.push_back(e);
        }
    }
    if (failures.size() == 1) throw failures.front();
    std::string message =
        "none of the " + std::to_string(failures.size()) + " signatures is acceptable";
    std::string details;
    for (std::size_t i = 0; i < failures.size(); ++i) {
        message += (i == 0 ? ": (" : "; (") + std::to_string(i + 1) + ") " + failures[i].what();
        details += failures[i].details() + "\n";
    }
    throw Error(ErrorCode::SignatureInvalid, message, failures.front().hint())
        .set_details(std::move(details));
}

SignerInfo info_of(const AuthenticodeSignature& signature) {
    return {signature.signer().subject(), signature.signer().fingerprint(), {}, {}};
}

}  // namespace

SignerInfo verify_authenticode(const PeImage& image,
                               const std::vector<Certificate>& anchors,
                               const SignaturePolicy& policy) {
    if (image.signatures().empty()) {
        throw Error(ErrorCode::SignatureInvalid,
                    "the image is not signed",
                    "sign the UKI with a key whose certificate is trusted here");
    }
    return any_signature(image, policy, [&](const AuthenticodeSignature& signature) {
        const Certificate& anchor = signature.find_anchor(anchors, policy);
        SignerInfo out = info_of(signature);
        out.anchor = anchor.subject();
        out.anchor_fingerprint = anchor.fingerprint();
        return out;
    });
}

std::optional<SignerInfo> verify_intact(const PeImage& image, const SignaturePolicy& policy) {
    if (image.signatures().empty()) return std::nullopt;
    return any_signature(image, policy, info_of);
}

}  // namespace cfs::uki
