// SPDX-License-Identifier: Apache-2.0
// A PE file: parsed, hashed, read as a UKI, and verified against the certificate that it brings.
#include "base/error.hpp"
#include "uki/authenticode.hpp"
#include "uki/uki.hpp"

#include <cstdlib>

namespace {

using namespace cfs;

void check_hashed(const uki::PeImage& pe) {
    std::size_t total = 12;  // checksum and certificate table entry
    for (const ByteView range : pe.hashed_ranges())
        total += range.size();
    for (const auto& signature : pe.signatures())
        total += signature.pkcs7.size();
    if (total > pe.file().size() + 7) std::abort();
    for (const auto& section : pe.sections()) {
        if (section.content().size() > section.raw.size()) std::abort();
    }
}

void verify(const uki::PeImage& pe) {
    std::vector<Certificate> anchors;
    for (const auto& entry : pe.signatures()) {
        try {
            anchors.push_back(AuthenticodeSignature::parse(entry.pkcs7).signer());
        } catch (const Error&) {
            continue;
        }
    }
    try {
        (void)uki::verify_authenticode(pe, anchors);
    } catch (const Error& e) {
        if (e.code() != ErrorCode::SignatureInvalid) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto pe = uki::parse_pe({data, size});
        check_hashed(pe);
        verify(pe);
        const auto uki = uki::parse_uki(pe);
        (void)uki.osrel.security_version();
        (void)uki.composefs();
    } catch (const Error& e) {
        if (e.code() != ErrorCode::BadFormat) std::abort();
    }
    return 0;
}
