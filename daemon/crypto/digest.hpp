// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cfs {

enum class HashAlgorithm : std::uint8_t { Sha256 = 1, Sha512 = 2 };  ///< values: fs-verity's

/// 32 or 64.
[[nodiscard]] constexpr std::size_t digest_size(HashAlgorithm algorithm) {
    return algorithm == HashAlgorithm::Sha256 ? 32 : 64;
}

/// "sha256" or "sha512".
[[nodiscard]] std::string_view to_string(HashAlgorithm algorithm);
[[nodiscard]] std::optional<HashAlgorithm> hash_algorithm_from(std::string_view name);

/// A digest and the algorithm that made it: a value, ordered, hashable. What was hashed (plain
/// bytes or a fs-verity descriptor) is the context's business.
class Digest {
 public:
    /// All zero SHA-256; exists for containers.
    Digest() = default;

    /// \pre bytes.size() == digest_size(algorithm)
    Digest(HashAlgorithm algorithm, ByteView bytes);

    /// From 64 (SHA-256) or 128 (SHA-512) hex digits, either case; nullopt otherwise.
    [[nodiscard]] static std::optional<Digest> from_hex(std::string_view hex);

    [[nodiscard]] HashAlgorithm algorithm() const { return algorithm_; }

    [[nodiscard]] ByteView bytes() const { return ByteView(bytes_).first(digest_size(algorithm_)); }

    /// Lowercase.
    [[nodiscard]] std::string hex() const { return to_hex(bytes()); }

    auto operator<=>(const Digest&) const = default;

 private:
    HashAlgorithm algorithm_ = HashAlgorithm::Sha256;
    std::array<std::uint8_t, 64> bytes_{};
};

/// The OCI spelling "sha256:<hex>". Registries may name sha512 too.
[[nodiscard]] std::string to_oci(const Digest& digest);

/// nullopt unless `text` is a lowercase sha256 or sha512 digest in OCI spelling.
[[nodiscard]] std::optional<Digest> digest_from_oci(std::string_view text);

}  // namespace cfs

template <>
struct std::hash<cfs::Digest> {
    /// A digest's first bytes are as random as any hash of it.
    std::size_t operator()(const cfs::Digest& digest) const noexcept {
        std::size_t value = 0;
        std::memcpy(&value, digest.bytes().data(), sizeof value);
        return value;
    }
};
