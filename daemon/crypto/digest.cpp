// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace cfs {

std::string_view to_string(HashAlgorithm algorithm) {
    return algorithm == HashAlgorithm::Sha256 ? "sha256" : "sha512";
}

std::optional<HashAlgorithm> hash_algorithm_from(std::string_view name) {
    if (name == "sha256") return HashAlgorithm::Sha256;
    if (name == "sha512") return HashAlgorithm::Sha512;
    return std::nullopt;
}

Digest::Digest(HashAlgorithm algorithm, ByteView bytes) : algorithm_(algorithm) {
    if (bytes.size() != digest_size(algorithm)) {
        throw Error(ErrorCode::Internal, "a digest of the wrong length");
    }
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

std::optional<Digest> Digest::from_hex(std::string_view hex) {
    const auto bytes = cfs::from_hex(hex);
    if (!bytes) return std::nullopt;
    for (const auto algorithm : {HashAlgorithm::Sha256, HashAlgorithm::Sha512}) {
        if (bytes->size() == digest_size(algorithm)) return Digest(algorithm, *bytes);
    }
    return std::nullopt;
}

std::string to_oci(const Digest& digest) {
    return std::string(to_string(digest.algorithm())) + ":" + digest.hex();
}

std::optional<Digest> digest_from_oci(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto algorithm = hash_algorithm_from(text.substr(0, colon));
    const std::string_view hex = text.substr(colon + 1);
    const auto digest = Digest::from_hex(hex);
    // The OCI grammar wants lowercase; two spellings of one digest would be two names of one blob.
    if (!algorithm || !digest || digest->algorithm() != *algorithm || digest->hex() != hex) {
        return std::nullopt;
    }
    return digest;
}

}  // namespace cfs
