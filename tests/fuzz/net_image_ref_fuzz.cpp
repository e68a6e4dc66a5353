// SPDX-License-Identifier: Apache-2.0
// What is accepted must survive being written and read again, and its URL must name the same host.
#include "base/error.hpp"
#include "net/image_ref.hpp"
#include "net/url.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace cfs;
    net::ImageRef ref;
    try {
        ref = net::parse_image_ref(as_text({data, size}));
    } catch (const Error& e) {
        if (e.code() != ErrorCode::InvalidArgs) std::abort();
        return 0;
    }
    if (!(net::parse_image_ref(to_string(ref)) == ref)) std::abort();
    if (ref.transport != net::Transport::Registry) return 0;
    try {
        const net::Url url = net::parse_url("https://" + ref.host + "/v2/" + ref.name + "/blobs/x");
        if (url.has_user) std::abort();
    } catch (const Error& e) {
        if (e.code() != ErrorCode::Network) std::abort();
    }
    return 0;
}
