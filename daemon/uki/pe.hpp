// SPDX-License-Identifier: Apache-2.0
/// \file PE/COFF images (EFI programs) from a hostile source.
///
/// Stricter than firmware: a file passes only if its parts lie one behind the other without gaps,
/// so that there is one way to read it and every byte that is loaded is hashed. Format: Microsoft's
/// PE/COFF specification; hash: Authenticode, the per-section variant that edk2 computes.
#pragma once

#include "crypto/hasher.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::uki {

inline constexpr std::uint16_t kSubsystemEfiApplication = 10;

/// Firmware loads an image into one contiguous block and fails from 2 GiB on.
inline constexpr std::uint64_t kMaxPeSize = (std::uint64_t{1} << 31) - 1;

struct PeSection {
    std::string name;  ///< up to 8 bytes, as found; "/12" references are not resolved
    std::uint32_t virtual_size = 0;
    std::uint32_t virtual_address = 0;
    std::uint32_t raw_offset = 0;
    ByteView raw;  ///< SizeOfRawData bytes of the file, padding included

    /// What the program sees: raw data is padded in the file, and virtual data beyond it is zero.
    [[nodiscard]] ByteView content() const {
        return raw.first(std::min<std::size_t>(virtual_size, raw.size()));
    }
};

/// One WIN_CERTIFICATE that carries a PKCS#7 signature (either of its two forms).
struct PeSignature {
    std::uint32_t offset = 0;  ///< in the file, of the entry's header
    ByteView pkcs7;            ///< with up to 7 bytes of padding
};

/// A view: it and everything taken from it is valid while the parsed bytes live. Immutable.
class PeImage {
 public:
    [[nodiscard]] std::uint16_t machine() const { return machine_; }

    [[nodiscard]] std::uint16_t subsystem() const { return subsystem_; }

    [[nodiscard]] ByteView file() const { return file_; }

    /// In the order of the section table.
    [[nodiscard]] const std::vector<PeSection>& sections() const { return sections_; }

    /// The first section of that name, which is the one that boot loaders use; nullptr if none.
    [[nodiscard]] const PeSection* find(std::string_view name) const;

    /// Empty when the image is not signed.
    [[nodiscard]] const std::vector<PeSignature>& signatures() const { return signatures_; }

    /// What Authenticode hashes, in order. An unsigned file is padded to 8 bytes with zeros, as
    /// signing it would: its hash does not change by being signed.
    [[nodiscard]] const std::vector<ByteView>& hashed_ranges() const { return hashed_; }

    [[nodiscard]] Digest authenticode_hash(HashAlgorithm algorithm) const;

    /// Whom to tell of what was hashed; empty for nobody.
    [[nodiscard]] const PieceDone& piece_done() const { return done_; }

 private:
    friend PeImage parse_pe(ByteView file, PieceDone done);
    PeImage() = default;

    ByteView file_;
    std::uint16_t machine_ = 0;
    std::uint16_t subsystem_ = 0;
    std::vector<PeSection> sections_;
    std::vector<PeSignature> signatures_;
    std::vector<ByteView> hashed_;
    PieceDone done_;
};

/// Throws BadFormat naming the broken rule, the expected and the found value.
/// \param done hears of all that is hashed later, also of padding that is in no file; it is called
///     while the image lives
[[nodiscard]] PeImage parse_pe(ByteView file, PieceDone done = {});

}  // namespace cfs::uki
