// SPDX-License-Identifier: Apache-2.0
// Debian's docker-registry behind TLS, client certificates and passwords.
#include "debian_registry.hpp"
#include "support/expect_error.hpp"
#include "support/test_relay.hpp"
#include "support/test_server.hpp"

#include <filesystem>
#include <random>

namespace cfs::net {
namespace {

using test::DebianRegistry;
using test::expect_error;
using test::make_certificate;
using test::Mishap;
using test::TestRelay;
using test::TlsFiles;

// ann:onesecret by libxcrypt: crypt.crypt("onesecret", "$2b$05$...") in Python.
constexpr const char* kHtpasswd =
    "ann:$2b$05$abcdefghijklmnopqrstuuIjGTTYYQMg7DVLW5NhmpF32sdr/RzVe\n";
constexpr const char* kRight = "YW5uOm9uZXNlY3JldA==";  // ann:onesecret
constexpr const char* kWrong = "YW5uOnR3b3NlY3JldA==";  // ann:twosecret

class GuardedDebianRegistry : public test::DebianRegistryFixture {
 protected:
    std::string tls(const std::string& more = "") const {
        return "  tls:\n    certificate: " + files_.certificate + "\n    key: " + files_.key +
               "\n" + more;
    }

    std::string passwords() const {
        dir_.write("htpasswd", kHtpasswd);
        return "auth: { htpasswd: { realm: test, path: " + (dir_ / "htpasswd") + " } }\n";
    }

    void log_in(const std::string& host, const char* auth) {
        dir_.write("auth.json", R"({"auths":{")" + host + R"(":{"auth":")" + auth + "\"}}}");
        options_.auth_files = {dir_ / "auth.json"};
    }

    void expect_image(const std::string& host) {
        const auto source = open(host);
        EXPECT_EQ(as_text(source->resolve(test::kAmd64, {}).manifest_bytes), image_.manifest());
        expect_layer(*source);
    }

    TlsFiles files_ = make_certificate(dir_, "registry");
};

TEST_F(GuardedDebianRegistry, TlsIsCheckedAgainstTheGivenAuthority) {
    const DebianRegistry registry(dir_, root_, tls());
    expect_error(ErrorCode::Network, "certificate", [&] { (void)resolve(registry.host()); });
    options_.ca_file = files_.certificate;
    expect_image(registry.host());
}

TEST_F(GuardedDebianRegistry, ACutInsideTlsIsContinued) {
    const DebianRegistry registry(dir_, root_, tls());
    options_.ca_file = files_.certificate;
    const std::size_t size = image_.layers.at(0).size();
    std::mt19937 random(7);
    for (int i = 0; i < 10; ++i) {
        const std::uint64_t place =
            std::uniform_int_distribution<std::uint64_t>(1, size + 3000)(random);
        const TestRelay relay(registry.port(), [&](unsigned number) {
            return number == 0 ? Mishap{.cut_after = place} : Mishap{};
        });
        const auto source = open("127.0.0.1:" + std::to_string(relay.port()));
        expect_layer(*source);
        EXPECT_LE(source->bytes_fetched(), size * 11 / 10) << "cut at " << place;
    }
}

TEST_F(GuardedDebianRegistry, AClientCertificateOpensIt) {
    const TlsFiles client = make_certificate(dir_, "client");
    const DebianRegistry registry(
        dir_, root_, tls("    clientcas: [ " + client.certificate + " ]\n"));
    const std::string folder = dir_ / ("certs.d/" + registry.host());
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(files_.certificate, folder + "/ca.crt");
    options_.certs_dirs = {dir_ / "certs.d"};
    const auto refused = [&] { (void)resolve(registry.host()); };
    expect_error(ErrorCode::Network, "asked for a client certificate and got none", refused);
    const TlsFiles stranger = make_certificate(dir_, "stranger");
    std::filesystem::copy_file(stranger.certificate, folder + "/client.cert");
    std::filesystem::copy_file(stranger.key, folder + "/client.key");
    expect_error(ErrorCode::Network, "certificate and got ours", refused);
    constexpr auto kOver = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(client.certificate, folder + "/client.cert", kOver);
    std::filesystem::copy_file(client.key, folder + "/client.key", kOver);
    expect_image(registry.host());
}

TEST_F(GuardedDebianRegistry, APasswordOpensIt) {
    const DebianRegistry registry(dir_, root_, tls(), passwords());
    options_.ca_file = files_.certificate;
    expect_error(
        ErrorCode::AuthRequired, "without credentials", [&] { (void)resolve(registry.host()); });
    log_in(registry.host(), kWrong);
    const std::string message = expect_error(
        ErrorCode::AuthRequired, "with the credentials in '" + (dir_ / "auth.json") + "'", [&] {
            (void)resolve(registry.host());
        });
    EXPECT_EQ(message.find("twosecret"), std::string::npos);
    EXPECT_EQ(message.find(kWrong), std::string::npos);
    log_in(registry.host() + "/team", kRight);
    expect_image(registry.host());
}

TEST_F(GuardedDebianRegistry, ABlobBehindAPasswordIsContinued) {
    const DebianRegistry registry(dir_, root_, "", passwords());
    const std::size_t size = image_.layers.at(0).size();
    const TestRelay relay(registry.port(), [&](unsigned number) {
        return number == 0 ? Mishap{} : Mishap{.cut_after = 300'000};
    });
    const std::string host = "127.0.0.1:" + std::to_string(relay.port());
    log_in(host, kRight);
    const auto source = open(host);
    expect_layer(*source);
    EXPECT_LE(source->bytes_fetched(), size * 11 / 10);
}

}  // namespace
}  // namespace cfs::net
