// SPDX-License-Identifier: Apache-2.0
#include "crypto/hasher.hpp"

#include "base/error.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace cfs {
namespace {

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

struct FreeMethod {
    void operator()(EVP_MD* method) const { EVP_MD_free(method); }
};

constexpr std::size_t kPiece = std::size_t{1} << 20;

/// Fetched once: EVP_MD_fetch costs more than hashing a small file.
const EVP_MD* method(HashAlgorithm algorithm) {
    static const std::unique_ptr<EVP_MD, FreeMethod> sha256(
        EVP_MD_fetch(nullptr, "SHA256", nullptr));
    static const std::unique_ptr<EVP_MD, FreeMethod> sha512(
        EVP_MD_fetch(nullptr, "SHA512", nullptr));
    return algorithm == HashAlgorithm::Sha256 ? sha256.get() : sha512.get();
}

void require(int ok) {
    if (ok != 1) throw Error(ErrorCode::Internal, "OpenSSL refuses to hash");
}

}  // namespace

struct Hasher::State {
    HashAlgorithm algorithm;
    std::unique_ptr<EVP_MD_CTX, FreeContext> context{EVP_MD_CTX_new()};
};

Hasher::Hasher(HashAlgorithm algorithm) : state_(std::make_unique<State>(State{algorithm})) {
    require(EVP_DigestInit_ex(state_->context.get(), method(algorithm), nullptr));
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(ByteView data) {
    require(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()));
}

Digest Hasher::so_far() const {
    State copy{state_->algorithm};
    require(EVP_MD_CTX_copy_ex(copy.context.get(), state_->context.get()));
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(copy.context.get(), out.data(), &size));
    return {state_->algorithm, ByteView(out).first(size)};
}

HashAlgorithm Hasher::algorithm() const {
    return state_->algorithm;
}

Digest Hasher::finish() {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(state_->context.get(), out.data(), &size));
    require(EVP_DigestInit_ex(state_->context.get(), method(state_->algorithm), nullptr));
    return {state_->algorithm, ByteView(out).first(size)};
}

void in_pieces(ByteView data, const std::function<void(ByteView)>& use, const PieceDone& done) {
    while (!data.empty()) {
        const ByteView piece = data.first(std::min(data.size(), kPiece));
        use(piece);
        if (done) done(piece);
        data = data.subspan(piece.size());
    }
}

Digest hash(HashAlgorithm algorithm, ByteView data, const PieceDone& done) {
    Hasher hasher(algorithm);
    in_pieces(
        data, [&](ByteView piece) { hasher.update(piece); }, done);
    return hasher.finish();
}

}  // namespace cfs
