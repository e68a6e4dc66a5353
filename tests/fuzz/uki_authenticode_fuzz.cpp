// SPDX-License-Identifier: Apache-2.0
// A PKCS#7 blob; its signature and chain are checked even though no image fits it.
#include "base/error.hpp"
#include "crypto/pkcs7.hpp"

#include <array>
#include <cstdlib>

namespace {

using namespace cfs;

template <typename F>
void attempt(F&& run) {
    try {
        run();
    } catch (const Error& e) {
        if (e.code() != ErrorCode::SignatureInvalid) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    attempt([&] {
        const auto signature = AuthenticodeSignature::parse({data, size});
        const std::vector<Certificate> anchors = {signature.signer()};
        const std::array<ByteView, 1> image = {as_bytes("image")};
        attempt([&] { signature.check_image(image); });
        attempt([&] { signature.check_signature({}); });
        attempt([&] { (void)signature.find_anchor(anchors, {}); });
    });
    return 0;
}
