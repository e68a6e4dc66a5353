// SPDX-License-Identifier: Apache-2.0
// Whatever registries.conf says: rules or an Error. Where they lead is a valid reference, and the
// origin stands last.
#include "base/error.hpp"
#include "net/registries.hpp"

#include <cstdlib>

namespace {

using namespace cfs;

void require(bool fine) {
    if (!fine) std::abort();
}

void follow(const net::Registries& registries, const std::string& reference) {
    try {
        const auto route = registries.route(net::parse_image_ref("docker://" + reference));
        require(!route.empty() && !route.back().mirror);
        for (const net::Endpoint& one : route)
            require(net::parse_image_ref(to_string(one.ref)) == one.ref);
    } catch (const Error& e) {
        require(e.code() == ErrorCode::RegistryBlocked || e.code() == ErrorCode::InvalidArgs);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    net::Registries registries;
    try {
        registries.add(net::parse_registries(as_text({data, size}), "input"));
    } catch (const Error& e) {
        require(e.code() == ErrorCode::BadFormat);
        return 0;
    }
    follow(registries, "example.com/foo/image:latest");
    follow(registries, "a.example.com:5000/x");
    follow(registries,
           "example.com/foo@sha256:"
           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    for (const net::RegistryRule& rule : registries.rules()) {
        try {
            (void)net::parse_image_ref("docker://" + rule.prefix + "/x");
        } catch (const Error&) {
            continue;
        }
        follow(registries, rule.prefix + "/x");
    }
    return 0;
}
