// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs7_content.hpp"

#include "base/error.hpp"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <optional>

namespace cfs {
namespace {

constexpr std::string_view kPeImageData = "1.3.6.1.4.1.311.2.1.15";

// Where edk2 looks; it holds for two-byte lengths and one digest algorithm.
constexpr std::size_t kFirmwareOidOffset = 32;
constexpr std::uint8_t kTwoByteLength = 0x82;

struct HashEntry {
    SignatureHash hash;
    std::string_view name;
    int nid;
    const EVP_MD* (*method)();
};

constexpr std::array<HashEntry, 3> kHashes = {{
    {SignatureHash::Sha256, "SHA-256", NID_sha256, EVP_sha256},
    {SignatureHash::Sha384, "SHA-384", NID_sha384, EVP_sha384},
    {SignatureHash::Sha512, "SHA-512", NID_sha512, EVP_sha512},
}};

const HashEntry& entry(SignatureHash hash) {
    return kHashes.at(static_cast<std::size_t>(hash));
}

std::size_t size_of(SignatureHash hash) {
    return static_cast<std::size_t>(EVP_MD_get_size(entry(hash).method()));
}

struct FreeInfo {
    void operator()(X509_SIG* info) const { X509_SIG_free(info); }
};

struct FreeObject {
    void operator()(ASN1_OBJECT* object) const { ASN1_OBJECT_free(object); }
};

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

struct Element {
    int tag = 0;
    ByteView whole;
    ByteView content;
};

/// The DER element at the front of `rest`, which is advanced behind it.
std::optional<Element> next_element(ByteView& rest) {
    const unsigned char* at = rest.data();
    long size = 0;
    int tag = 0;
    int cls = 0;
    if (rest.empty()) return std::nullopt;
    const int result = ASN1_get_object(&at, &size, &tag, &cls, static_cast<long>(rest.size()));
    // 0x80: malformed or longer than `rest`; 1: indefinite length, which DER does not have.
    if ((result & 0x80) != 0 || (result & 1) != 0 || cls != V_ASN1_UNIVERSAL) return std::nullopt;
    const auto header = static_cast<std::size_t>(at - rest.data());
    const auto length = static_cast<std::size_t>(size);
    const Element out{tag, rest.first(header + length), rest.subspan(header, length)};
    rest = rest.subspan(out.whole.size());
    return out;
}

void check_kind(ByteView data) {
    const auto kind = next_element(data);
    if (!kind || kind->tag != V_ASN1_OBJECT) spc::broken("its content is malformed");
    const unsigned char* at = kind->whole.data();
    const std::unique_ptr<ASN1_OBJECT, FreeObject> oid(
        d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(kind->whole.size())));
    std::array<char, 80> text{};
    if (!oid || OBJ_obj2txt(text.data(), text.size(), oid.get(), 1) <= 0 ||
        kPeImageData != text.data()) {
        spc::broken("it signs something else than a PE image");
    }
}

spc::ImageDigest parse_digest_info(ByteView der) {
    const unsigned char* at = der.data();
    const std::unique_ptr<X509_SIG, FreeInfo> info(
        d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size())));
    if (!info || at != der.data() + der.size()) spc::broken("its image digest is malformed");
    const X509_ALGOR* algorithm = nullptr;
    const ASN1_OCTET_STRING* digest = nullptr;
    const ASN1_OBJECT* oid = nullptr;
    X509_SIG_get0(info.get(), &algorithm, &digest);
    X509_ALGOR_get0(&oid, nullptr, nullptr, algorithm);
    const SignatureHash hash = spc::hash_from_nid(OBJ_obj2nid(oid), "image digest");
    const ByteView bytes(ASN1_STRING_get0_data(digest),
                         static_cast<std::size_t>(ASN1_STRING_length(digest)));
    if (bytes.size() != size_of(hash)) {
        spc::broken("its image digest has " + std::to_string(bytes.size()) + " bytes");
    }
    return {hash, Bytes(bytes.begin(), bytes.end())};
}

}  // namespace

std::string_view to_string(SignatureHash hash) {
    return entry(hash).name;
}

Bytes hash_ranges(SignatureHash hash, std::span<const ByteView> ranges, const PieceDone& done) {
    const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    bool ok = context && EVP_DigestInit_ex(context.get(), entry(hash).method(), nullptr) == 1;
    const auto update = [&](ByteView piece) {
        ok = ok && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
    };
    for (const ByteView range : ranges)
        in_pieces(range, update, done);
    Bytes out(size_of(hash));
    ok = ok && EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1;
    if (!ok) throw Error(ErrorCode::Internal, "OpenSSL refuses to hash");
    return out;
}

namespace spc {

void refuse(std::string what, std::string hint) {
    ERR_clear_error();
    if (hint.empty()) {
        hint = "sign the image again, for example with sbsign and an RSA key of 2048 bits or more";
    }
    throw Error(ErrorCode::SignatureInvalid, std::move(what), std::move(hint));
}

void broken(const std::string& what) {
    refuse("the signature is broken: " + what);
}

void unreadable_by_firmware(const std::string& what) {
    refuse("the signature is in a form that firmware does not read: " + what);
}

SignatureHash hash_from_nid(int nid, const std::string& where) {
    for (const HashEntry& known : kHashes) {
        if (known.nid == nid) return known.hash;
    }
    if (nid == NID_sha1) refuse("the image is signed with SHA-1, which is not safe");
    const char* name = nid == NID_undef ? nullptr : OBJ_nid2sn(nid);
    refuse("the image is signed with " + std::string(name == nullptr ? "an unknown hash" : name) +
           " (" + where + "); SHA-256, SHA-384 and SHA-512 are accepted");
}

int nid_of(SignatureHash hash) {
    return entry(hash).nid;
}

ByteView inside_sequence(ByteView der) {
    const auto sequence = next_element(der);
    if (!sequence || sequence->tag != V_ASN1_SEQUENCE || !der.empty()) {
        broken("its content is malformed");
    }
    return sequence->content;
}

ImageDigest parse_indirect_data(ByteView content) {
    ByteView rest = content;
    const auto data = next_element(rest);
    if (!data || data->tag != V_ASN1_SEQUENCE) broken("its content is malformed");
    check_kind(data->content);
    ImageDigest image = parse_digest_info(rest);
    // Firmware compares the content's last bytes and parses nothing.
    const ByteView tail = content.last(image.digest.size());
    if (!std::equal(tail.begin(), tail.end(), image.digest.begin())) {
        unreadable_by_firmware("the image digest is not the end of the content");
    }
    return image;
}

void check_firmware_shape(ByteView blob, SignatureHash hash) {
    const ASN1_OBJECT* oid = OBJ_nid2obj(entry(hash).nid);
    const ByteView value(OBJ_get0_data(oid), OBJ_length(oid));
    if (blob.size() < kFirmwareOidOffset + value.size() || blob[1] != kTwoByteLength) {
        unreadable_by_firmware("its length is not written in two bytes");
    }
    const ByteView found = blob.subspan(kFirmwareOidOffset, value.size());
    if (!std::equal(value.begin(), value.end(), found.begin())) {
        unreadable_by_firmware("the hash algorithm does not stand at offset 32");
    }
}

}  // namespace spc
}  // namespace cfs
