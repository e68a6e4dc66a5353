// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509.hpp"

#include "base/error.hpp"
#include "crypto/hasher.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace cfs {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::size_t kMaxSubject = 200;

struct FreeX509 {
    void operator()(X509* cert) const { X509_free(cert); }
};

struct FreeBio {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
};

struct FreeOpenssl {
    void operator()(void* memory) const { CRYPTO_free(memory, "", 0); }
};

using X509Ptr = std::unique_ptr<X509, FreeX509>;
using BioPtr = std::unique_ptr<BIO, FreeBio>;

[[noreturn]] void bad(const std::string& what) {
    ERR_clear_error();
    throw Error(ErrorCode::BadFormat,
                what,
                "give certificates as PEM text ('-----BEGIN CERTIFICATE-----') or one as DER");
}

std::string one_line(const X509_NAME* name) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    char* text = nullptr;
    if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return "(no subject)";
    const long size = BIO_get_mem_data(out.get(), &text);
    if (size <= 0) return "(no subject)";
    return printable({text, static_cast<std::size_t>(size)}, kMaxSubject);
}

KeyType key_type_of(const EVP_PKEY* key) {
    switch (key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA:
            return KeyType::Rsa;
        case EVP_PKEY_EC:
            return KeyType::Ec;
        default:
            return KeyType::Other;
    }
}

std::string describe(const EVP_PKEY* key, KeyType type, unsigned bits) {
    if (type == KeyType::Rsa) return "RSA " + std::to_string(bits);
    if (type == KeyType::Ec) return "EC " + std::to_string(bits);
    const char* name = key == nullptr ? nullptr : OBJ_nid2sn(EVP_PKEY_get_base_id(key));
    return name == nullptr ? "unknown" : name;
}

bool over_weak_hash(const X509* cert) {
    int hash = NID_undef;
    if (OBJ_find_sigid_algs(X509_get_signature_nid(cert), &hash, nullptr) != 1) return false;
    return hash == NID_md2 || hash == NID_md4 || hash == NID_md5 || hash == NID_md5_sha1 ||
           hash == NID_sha1;
}

/// One PEM block's type and bytes; nullopt behind the last one.
struct PemBlock {
    std::string type;
    Bytes data;
};

std::optional<PemBlock> next_block(BIO* bio) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio, &name, &header, &data, &size) != 1) {
        const bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        if (!end) bad("a PEM block is cut off or not base64");
        return std::nullopt;
    }
    const std::unique_ptr<char, FreeOpenssl> own_name(name);
    const std::unique_ptr<char, FreeOpenssl> own_header(header);
    const std::unique_ptr<unsigned char, FreeOpenssl> own_data(data);
    return PemBlock{name, Bytes(data, data + size)};
}

std::vector<Certificate> parse_pem(ByteView file) {
    const BioPtr bio(BIO_new_mem_buf(file.data(), static_cast<int>(file.size())));
    if (!bio) throw Error(ErrorCode::Internal, "OpenSSL refuses a memory buffer");
    std::vector<Certificate> out;
    while (const auto block = next_block(bio.get())) {
        if (block->type != PEM_STRING_X509 && block->type != PEM_STRING_X509_OLD) continue;
        out.push_back(Certificate::from_der(block->data));
    }
    if (out.empty()) bad("the PEM text has no certificate in it");
    return out;
}

}  // namespace

Certificate Certificate::from_der(ByteView der) {
    const unsigned char* at = der.data();
    const X509Ptr cert(
        der.size() > kMaxFile ? nullptr : d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!cert) bad("not an X.509 certificate (" + std::to_string(der.size()) + " bytes)");
    if (at != der.data() + der.size()) {
        bad(std::to_string(der.data() + der.size() - at) + " bytes behind the certificate");
    }
    const EVP_PKEY* key = X509_get0_pubkey(cert.get());
    Certificate out;
    out.der_.assign(der.begin(), der.end());
    out.subject_ = one_line(X509_get_subject_name(cert.get()));
    out.fingerprint_ = cfs::hash(HashAlgorithm::Sha256, der);
    out.key_type_ = key_type_of(key);
    out.key_bits_ = key == nullptr ? 0 : static_cast<unsigned>(EVP_PKEY_get_bits(key));
    out.key_description_ = describe(key, out.key_type_, out.key_bits_);
    out.weak_signature_ = over_weak_hash(cert.get());
    ERR_clear_error();  // an unknown kind of key leaves an error behind; it is no failure here
    return out;
}

std::vector<Certificate> Certificate::parse(ByteView file) {
    if (file.size() > kMaxFile) {
        bad("a certificate file of " + std::to_string(file.size()) + " bytes; at most " +
            std::to_string(kMaxFile) + " are read");
    }
    if (as_text(file).find("-----BEGIN ") != std::string_view::npos) return parse_pem(file);
    std::vector<Certificate> out;
    out.push_back(from_der(file));
    return out;
}

}  // namespace cfs
