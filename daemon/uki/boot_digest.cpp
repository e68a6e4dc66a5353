// SPDX-License-Identifier: Apache-2.0
#include "uki/boot_digest.hpp"

#include "crypto/hasher.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace cfs::uki {
namespace {

constexpr std::array<std::string_view, 8> kStarted = {
    ".linux", ".initrd", ".ucode", ".dtb", ".dtbauto", ".hwids", ".efifw", ".profile"};

/// With its length, so that no two lists of texts look alike.
void add(Hasher& hasher, ByteView bytes, const PieceDone& done = {}) {
    hasher.update(as_bytes(std::to_string(bytes.size()) + ":"));
    in_pieces(
        bytes, [&](ByteView piece) { hasher.update(piece); }, done);
}

void add(Hasher& hasher, std::string_view text) {
    add(hasher, as_bytes(text));
}

bool names_image(std::string_view word) {
    return word.starts_with("composefs=") || word.starts_with("composefs.digest=");
}

void add_cmdline(Hasher& hasher, std::string_view cmdline) {
    for (const std::string_view word : split_cmdline(cmdline))
        if (!names_image(word)) add(hasher, word);
    add(hasher, "");  // the end: no word is empty
}

}  // namespace

Digest boot_digest(const PeImage& pe, const Uki& uki) {
    Hasher hasher(HashAlgorithm::Sha256);
    for (const PeSection& section : pe.sections()) {
        if (std::find(kStarted.begin(), kStarted.end(), section.name) == kStarted.end()) continue;
        add(hasher, section.name);
        add(hasher, section.content(), pe.piece_done());
    }
    for (const std::string& cmdline : uki.cmdlines)
        add_cmdline(hasher, cmdline);
    return hasher.finish();
}

}  // namespace cfs::uki
