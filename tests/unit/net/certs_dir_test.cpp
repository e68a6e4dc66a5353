// SPDX-License-Identifier: Apache-2.0
#include "net/certs_dir.hpp"

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace cfs::net {
namespace {

class CertsDirTest : public testing::Test {
 protected:
    std::string write(const std::string& name, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(dir_ / name).parent_path());
        std::ofstream(dir_ / name) << text;
        return dir_ / name;
    }

    HostCerts find(const std::string& host) {
        return find_host_certs({dir_ / "none", dir_ / "one", dir_ / "two"}, host);
    }

    test::TempDir dir_;
};

TEST_F(CertsDirTest, TheManualsExample) {
    const std::string folder = "one/my-registry.com:5000/";
    const std::string cert = write(folder + "client.cert", "c");
    const std::string key = write(folder + "client.key", "k");
    (void)write(folder + "ca.crt", "CA");
    EXPECT_EQ(find("my-registry.com:5000"), (HostCerts{"CA\n", cert, key}));
    EXPECT_EQ(find("my-registry.com"), HostCerts{});
    EXPECT_EQ(find("my-registry.com:5001"), HostCerts{});
}

TEST_F(CertsDirTest, AllAuthoritiesAndTheFirstClientCount) {
    (void)write("one/h/b.crt", "B");
    (void)write("one/h/a.crt", "A");
    const std::string cert = write("one/h/1.cert", "c");
    const std::string key = write("one/h/1.key", "k");
    (void)write("one/h/2.cert", "c");
    (void)write("one/h/2.key", "k");
    (void)write("one/h/README", "x");
    EXPECT_EQ(find("h"), (HostCerts{"A\nB\n", cert, key}));
}

TEST_F(CertsDirTest, TheFirstDirectoryDecidesAlone) {
    (void)write("one/h/README", "x");
    (void)write("two/h/ca.crt", "CA");
    EXPECT_EQ(find("h"), HostCerts{});
}

TEST_F(CertsDirTest, HalfAPairIsNamed) {
    (void)write("one/a/x.cert", "c");
    (void)write("one/b/x.key", "k");
    (void)write("one/b/y.cert", "c");
    test::expect_error(ErrorCode::InvalidArgs, "/x.cert' has no 'x.key'", [&] { (void)find("a"); });
    test::expect_error(ErrorCode::InvalidArgs, "/x.key' has no 'x.cert'", [&] { (void)find("b"); });
}

TEST_F(CertsDirTest, AHostLeadsNowhereElse) {
    (void)write("ca.crt", "CA");
    (void)write("one/h/ca.crt", "CA");
    for (const char* host : {"..", ".", "", "../one/h", "x/../h"}) {
        EXPECT_EQ(find(host), HostCerts{}) << host;
    }
}

}  // namespace
}  // namespace cfs::net
