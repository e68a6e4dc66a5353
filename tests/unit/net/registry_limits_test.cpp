// SPDX-License-Identifier: Apache-2.0
// How fast, over how many connections, and through which proxy.
#include "registry_fixture.hpp"

#include <cstdlib>
#include <thread>

namespace cfs::net {
namespace {

using test::expect_error;

class RegistryLimitsTest : public test::RegistryFixture {
 protected:
    /// What the registry, as a proxy, was asked to connect to.
    std::vector<std::string> proxied() const {
        std::vector<std::string> out;
        for (const auto& request : registry_.requests()) {
            EXPECT_FALSE(request.headers.contains("authorization"));
            if (request.method == "CONNECT") out.push_back(request.target);
        }
        return out;
    }

    /// An image that is not on this machine; nobody but a proxy can be reached.
    std::string resolve_elsewhere() {
        options_.max_attempts = 1;
        return expect_error(ErrorCode::Network, "os.example", [&] {
            (void)open_source(parse_image_ref("docker://os.example/a:b"), options_)
                ->resolve(test::kAmd64, {});
        });
    }
};

TEST_F(RegistryLimitsTest, TheRateIsSharedByAllTransfers) {
    const std::vector<std::string> contents = {big_blob(300'000), big_blob(300'001)};
    options_.rate_limit = 300'000;
    const auto start = std::chrono::steady_clock::now();
    fetch_together(contents);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_GE(took.count(), 1.5) << "600 kB at 300 kB/s, and some slack for the start";
    EXPECT_LE(took.count(), 20);
}

TEST_F(RegistryLimitsTest, NoMoreConnectionsThanAllowed) {
    std::vector<std::string> contents;
    for (std::size_t i = 0; i < 6; ++i)
        contents.push_back(big_blob(3000 + i));
    registry_.add_fault({.drip_bytes = 100});
    options_.connections = 2;
    fetch_together(contents);
    // One greeting in TLS is hung up on first, and its connection counts until the server notices.
    EXPECT_LE(registry_.most_connections(), 3U);
}

TEST_F(RegistryLimitsTest, ASettingNamesTheProxy) {
    options_.proxy = "http://ann:onesecret@" + registry_.host();
    const std::string message = resolve_elsewhere();
    EXPECT_EQ(proxied(), std::vector<std::string>{"os.example:443"});
    EXPECT_EQ(registry_.requests()[0].headers.at("proxy-authorization"),
              "Basic YW5uOm9uZXNlY3JldA==");
    EXPECT_EQ(message.find("onesecret"), std::string::npos) << message;
}

TEST_F(RegistryLimitsTest, AProxyThatCannotBeUsedIsNamedWithoutItsPassword) {
    options_.proxy = "nonsense://ann:onesecret@127.0.0.1:1";
    const std::string message = resolve_elsewhere();
    EXPECT_NE(message.find("nonsense"), std::string::npos) << message;
    EXPECT_EQ(message.find("onesecret"), std::string::npos) << message;
}

TEST_F(RegistryLimitsTest, TheEnvironmentNamesTheProxyUnlessTheSettingSaysDirect) {
    ASSERT_EQ(::setenv("https_proxy", ("http://" + registry_.host()).c_str(), 1), 0);
    (void)resolve_elsewhere();
    EXPECT_EQ(proxied().size(), 1U);
    options_.proxy = "direct";
    options_.connect_timeout = std::chrono::seconds(1);
    (void)resolve_elsewhere();
    EXPECT_EQ(proxied().size(), 1U);
    publish();
    options_.proxy.clear();
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest()) << "loopback needs none";
    EXPECT_EQ(proxied().size(), 1U);
    ASSERT_EQ(::unsetenv("https_proxy"), 0);
}

}  // namespace
}  // namespace cfs::net
