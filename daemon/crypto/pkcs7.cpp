// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs7.hpp"

#include "base/error.hpp"
#include "crypto/pkcs7_content.hpp"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

namespace cfs {
namespace {

using spc::broken;
using spc::refuse;

constexpr std::size_t kMaxPadding = 7;

struct Free {
    void operator()(PKCS7* p7) const { PKCS7_free(p7); }

    void operator()(X509* cert) const { X509_free(cert); }

    void operator()(X509_STORE* store) const { X509_STORE_free(store); }

    void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }

    void operator()(BIO* bio) const { BIO_free_all(bio); }

    // Not its elements: the signature owns them.
    void operator()(STACK_OF(X509) * list) const { sk_X509_free(list); }
};

template <typename T>
using Owned = std::unique_ptr<T, Free>;

template <typename T>
T* need(T* pointer) {
    if (pointer == nullptr) throw Error(ErrorCode::Internal, "OpenSSL runs out of memory");
    return pointer;
}

int nid_of(const X509_ALGOR* algorithm) {
    const ASN1_OBJECT* object = nullptr;
    X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
    return object == nullptr ? NID_undef : OBJ_obj2nid(object);
}

bool is_oid(const ASN1_OBJECT* object, std::string_view dotted) {
    std::array<char, 80> text{};
    return object != nullptr && OBJ_obj2txt(text.data(), text.size(), object, 1) > 0 &&
           dotted == text.data();
}

Owned<PKCS7> decode(ByteView blob) {
    const unsigned char* at = blob.data();
    Owned<PKCS7> p7(d2i_PKCS7(nullptr, &at, static_cast<long>(blob.size())));
    if (!p7) broken("not a PKCS#7 structure (" + std::to_string(blob.size()) + " bytes)");
    const ByteView rest = blob.subspan(static_cast<std::size_t>(at - blob.data()));
    const bool zeros = std::all_of(rest.begin(), rest.end(), [](auto b) { return b == 0; });
    if (rest.size() > kMaxPadding || !zeros) {
        broken(std::to_string(rest.size()) +
               " bytes follow the PKCS#7 structure; up to 7 zero bytes are allowed");
    }
    if (!PKCS7_type_is_signed(p7.get()) || p7->d.sign == nullptr) {
        broken("PKCS#7 of another kind than signed data");
    }
    return p7;
}

/// The raw SpcIndirectDataContent, without its outer tag and length.
ByteView indirect_data(const PKCS7_SIGNED& data) {
    const PKCS7* contents = data.contents;
    if (contents == nullptr || !is_oid(contents->type, spc::kIndirectData)) {
        broken("it signs something else than a program (no SPC indirect data)");
    }
    const ASN1_TYPE* any = contents->d.other;
    if (any == nullptr || any->type != V_ASN1_SEQUENCE) broken("its content is not a sequence");
    return spc::inside_sequence(
        ByteView(ASN1_STRING_get0_data(any->value.sequence),
                 static_cast<std::size_t>(ASN1_STRING_length(any->value.sequence))));
}

PKCS7_SIGNER_INFO* the_signer(const PKCS7_SIGNED& data) {
    const int algorithms = sk_X509_ALGOR_num(data.md_algs);
    if (algorithms != 1) {
        spc::unreadable_by_firmware(std::to_string(std::max(algorithms, 0)) +
                                    " digest algorithms instead of one");
    }
    const int signers = sk_PKCS7_SIGNER_INFO_num(data.signer_info);
    if (signers != 1) {
        broken(std::to_string(std::max(signers, 0)) + " signers instead of one");
    }
    return sk_PKCS7_SIGNER_INFO_value(data.signer_info, 0);
}

void check_attributes(PKCS7_SIGNER_INFO* signer) {
    if (sk_X509_ATTRIBUTE_num(signer->auth_attr) <= 0) broken("no signed attributes");
    const ASN1_TYPE* type = PKCS7_get_signed_attribute(signer, NID_pkcs9_contentType);
    if (type == nullptr || type->type != V_ASN1_OBJECT ||
        !is_oid(type->value.object, spc::kIndirectData)) {
        broken("the signed attributes do not name the content's type");
    }
    const ASN1_TYPE* digest = PKCS7_get_signed_attribute(signer, NID_pkcs9_messageDigest);
    if (digest == nullptr || digest->type != V_ASN1_OCTET_STRING) {
        broken("the signed attributes have no message digest");
    }
}

Bytes to_der(X509* cert) {
    const int size = i2d_X509(cert, nullptr);
    if (size <= 0) broken("a certificate inside cannot be read");
    Bytes out(static_cast<std::size_t>(size));
    unsigned char* at = out.data();
    i2d_X509(cert, &at);
    return out;
}

Certificate to_certificate(X509* cert) {
    try {
        return Certificate::from_der(to_der(cert));
    } catch (const Error& e) {
        broken(e.what());
    }
}

X509* signer_certificate(PKCS7* p7) {
    const Owned<STACK_OF(X509)> found(PKCS7_get0_signers(p7, nullptr, 0));
    if (!found || sk_X509_num(found.get()) != 1) {
        broken("the signer's certificate is not inside, and firmware looks nowhere else");
    }
    return sk_X509_value(found.get(), 0);
}

/// Empty when policy accepts the key.
std::string key_problem(const Certificate& cert, const SignaturePolicy& policy) {
    const std::string who =
        "the certificate " + cert.subject() + " has the key " + cert.key_description() + "; ";
    if (cert.key_type() == KeyType::Ec) {
        return policy.allow_ec ? std::string() : who + "EC keys are refused by firmware";
    }
    if (cert.key_type() != KeyType::Rsa) return who + "only RSA keys are accepted";
    if (cert.key_bits() >= policy.min_rsa_bits) return {};
    return who + "at least RSA " + std::to_string(policy.min_rsa_bits) + " is required";
}

/// Empty when policy accepts all certificates from the signer to the anchor.
std::string chain_problem(const STACK_OF(X509) * chain, const SignaturePolicy& policy) {
    const int count = sk_X509_num(chain);
    for (int i = 0; i < count; ++i) {
        const Certificate cert = to_certificate(sk_X509_value(chain, i));
        if (auto problem = key_problem(cert, policy); !problem.empty()) return problem;
        // Nobody verifies the anchor's own signature: it is trusted by its bytes.
        if (i + 1 < count && cert.weak_signature()) {
            return "the certificate " + cert.subject() + " is itself signed with SHA-1 or MD5";
        }
    }
    return {};
}

/// One attempt to chain a signer to one anchor, by firmware's rules.
class ChainCheck {
 public:
    ChainCheck(const Certificate& anchor, X509* signer, STACK_OF(X509) * inside) {
        const unsigned char* at = anchor.der().data();
        anchor_.reset(need(d2i_X509(nullptr, &at, static_cast<long>(anchor.der().size()))));
        if (X509_STORE_add_cert(store_.get(), anchor_.get()) != 1 ||
            X509_STORE_CTX_init(context_.get(), store_.get(), signer, inside) != 1) {
            throw Error(ErrorCode::Internal, "OpenSSL refuses to verify a certificate");
        }
        X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context_.get());
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
        X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
    }

    [[nodiscard]] bool verify() { return X509_verify_cert(context_.get()) == 1; }

    [[nodiscard]] const STACK_OF(X509) * chain() const {
        return X509_STORE_CTX_get0_chain(context_.get());
    }

    [[nodiscard]] std::string reason() const {
        return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context_.get()));
    }

 private:
    Owned<X509> anchor_;
    Owned<X509_STORE> store_{need(X509_STORE_new())};
    Owned<X509_STORE_CTX> context_{need(X509_STORE_CTX_new())};
};

std::string identify(const Certificate& cert) {
    return cert.subject() + " (" + cert.fingerprint().hex() + ")";
}

}  // namespace

struct AuthenticodeSignature::State {
    Owned<PKCS7> p7;
    X509* signer_x509;  ///< owned by p7
    Certificate signer;
    spc::ImageDigest image;
    ByteView content;  ///< bytes owned by p7
};

AuthenticodeSignature::AuthenticodeSignature(std::unique_ptr<State> state)
    : state_(std::move(state)) {}

AuthenticodeSignature::AuthenticodeSignature(AuthenticodeSignature&&) noexcept = default;
AuthenticodeSignature& AuthenticodeSignature::operator=(AuthenticodeSignature&&) noexcept = default;
AuthenticodeSignature::~AuthenticodeSignature() = default;

AuthenticodeSignature AuthenticodeSignature::parse(ByteView blob) {
    Owned<PKCS7> p7 = decode(blob);
    const PKCS7_SIGNED& data = *p7->d.sign;
    PKCS7_SIGNER_INFO* signer = the_signer(data);
    const SignatureHash hash = spc::hash_from_nid(nid_of(signer->digest_alg), "signer");
    const ByteView content = indirect_data(data);
    spc::ImageDigest image = spc::parse_indirect_data(content);
    if (image.hash != hash || nid_of(sk_X509_ALGOR_value(data.md_algs, 0)) != spc::nid_of(hash)) {
        broken("it names different hash algorithms for the image and for itself");
    }
    check_attributes(signer);
    spc::check_firmware_shape(blob, hash);
    X509* cert = signer_certificate(p7.get());
    Certificate certificate = to_certificate(cert);
    ERR_clear_error();
    return AuthenticodeSignature(std::make_unique<State>(
        State{std::move(p7), cert, std::move(certificate), std::move(image), content}));
}

SignatureHash AuthenticodeSignature::hash() const {
    return state_->image.hash;
}

ByteView AuthenticodeSignature::image_digest() const {
    return state_->image.digest;
}

const Certificate& AuthenticodeSignature::signer() const {
    return state_->signer;
}

void AuthenticodeSignature::check_image(std::span<const ByteView> ranges,
                                        const PieceDone& done) const {
    const Bytes found = hash_ranges(hash(), ranges, done);
    if (found == state_->image.digest) return;
    refuse("the file was changed after signing: its " + std::string(to_string(hash())) + " is " +
               to_hex(found) + ", signed is " + to_hex(image_digest()),
           "fetch the image again; if that does not help, its builder must sign it again");
}

void AuthenticodeSignature::check_signature(const SignaturePolicy& policy) const {
    const ByteView content = state_->content;
    const Owned<BIO> bio(need(BIO_new_mem_buf(content.data(), static_cast<int>(content.size()))));
    ERR_clear_error();
    if (PKCS7_verify(state_->p7.get(),
                     nullptr,
                     nullptr,
                     bio.get(),
                     nullptr,
                     PKCS7_BINARY | PKCS7_NOVERIFY) != 1) {
        const char* reason = ERR_reason_error_string(ERR_peek_last_error());
        broken(reason == nullptr ? "it does not verify" : reason);
    }
    if (auto problem = key_problem(signer(), policy); !problem.empty()) refuse(std::move(problem));
}

const Certificate& AuthenticodeSignature::find_anchor(const std::vector<Certificate>& anchors,
                                                      const SignaturePolicy& policy) const {
    std::string problem;
    std::string tried;
    for (const Certificate& anchor : anchors) {
        ChainCheck check(anchor, state_->signer_x509, state_->p7->d.sign->cert);
        if (!check.verify()) {
            tried += "\n  " + identify(anchor) + ": " + check.reason();
            continue;
        }
        problem = chain_problem(check.chain(), policy);
        if (problem.empty()) return anchor;
    }
    if (!problem.empty()) refuse(problem, "have that certificate issued again, and sign again");
    ERR_clear_error();
    throw Error(ErrorCode::SignatureInvalid,
                "the image is signed by " + signer().subject() + ", which is not among the " +
                    std::to_string(anchors.size()) + " trusted certificates",
                "get the image from its vendor, or trust the vendor's certificate")
        .set_details("signer: " + identify(signer()) + "\ntrusted:" + tried);
}

}  // namespace cfs
