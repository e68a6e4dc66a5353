// SPDX-License-Identifier: Apache-2.0
#include "net/url.hpp"

#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

TEST(Url, PartsAreNormalised) {
    const Url url = parse_url("HTTPS://Host.Example:8443/v2/?q");
    EXPECT_EQ(url.scheme, "https");
    EXPECT_EQ(url.host, "host.example");
    EXPECT_EQ(url.port, "8443");
    EXPECT_FALSE(url.has_user);
    EXPECT_TRUE(parse_url("http://u:p@h/").has_user);
}

TEST(Url, AnOriginIsSchemeHostAndPort) {
    EXPECT_TRUE(same_origin("https://a/x", "HTTPS://A:443/y?z"));
    EXPECT_TRUE(same_origin("http://a:80/x", "http://a"));
    for (const char* other : {"http://a/x", "https://a:444/x", "https://b/x", "https://a.b/x"}) {
        EXPECT_FALSE(same_origin("https://a/x", other)) << other;
    }
}

TEST(Url, AQueryIsAddedEncoded) {
    EXPECT_EQ(with_query("https://a/t", {{"s", "x y&z=1"}, {"none", ""}, {"t", "#"}}),
              "https://a/t?s=x+y%26z%3d1&t=%23");
    EXPECT_EQ(with_query("https://a/t?q=1#part", {{"s", "x"}}), "https://a/t?q=1&s=x");
    EXPECT_EQ(with_query("https://a/t", {}), "https://a/t");
}

TEST(Url, OtherSchemesAreRefused) {
    test::expect_error(
        ErrorCode::Network, "file:///etc/passwd", [] { (void)parse_url("file:///etc/passwd"); });
    test::expect_error(ErrorCode::Network, "no http or https", [] { (void)parse_url("http://"); });
}

TEST(Url, LoopbackIsOnlyWhatLooksLikeIt) {
    for (const char* host : {"127.0.0.1", "127.255.0.9", "[::1]", "localhost"}) {
        EXPECT_TRUE(is_loopback(host)) << host;
    }
    for (const char* host :
         {"127.0.0.1.example.com", "128.0.0.1", "127.1", "[::2]", "", "0.0.0.0"}) {
        EXPECT_FALSE(is_loopback(host)) << host;
    }
}

TEST(Url, PlainHttpNeedsLoopbackOrAListing) {
    NetOptions options;
    EXPECT_TRUE(may_use_http("127.0.0.1", "5000", options));
    EXPECT_FALSE(may_use_http("lab", "5000", options));
    options.insecure_registries = {"lab:5000", "Car"};
    EXPECT_TRUE(may_use_http("lab", "5000", options));
    EXPECT_FALSE(may_use_http("lab", "5001", options));
    EXPECT_FALSE(may_use_http("lab", "", options));
    EXPECT_TRUE(may_use_http("car", "77", options));
}

}  // namespace
}  // namespace cfs::net
