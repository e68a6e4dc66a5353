// SPDX-License-Identifier: Apache-2.0
#include "registry_fixture.hpp"
#include "support/temp_dir.hpp"

#include <filesystem>
#include <fstream>

namespace cfs::net {
namespace {

using test::expect_error;
using test::make_certificate;
using test::TempDir;
using test::TestRegistry;
using test::TlsFiles;

class RegistryTlsTest : public testing::Test {
 protected:
    RegistryTlsTest() { options_.retry_base = std::chrono::milliseconds(1); }

    std::string fetch(const std::string& content) {
        registry_.add_blob(content);
        MemorySink sink(content.size());
        open_source(parse_image_ref(registry_.reference("a", "b")), options_)
            ->fetch_blob(test::descriptor_of(content), sink, {});
        return std::string(as_text(sink.bytes()));
    }

    TempDir dir_;
    TlsFiles files_ = make_certificate(dir_, "registry");
    TestRegistry registry_{files_};
    NetOptions options_;
};

TEST_F(RegistryTlsTest, AGivenCaIsTrusted) {
    options_.ca_file = files_.certificate;
    EXPECT_EQ(fetch("content"), "content");
}

TEST_F(RegistryTlsTest, AnUnknownCaIsNamedAndNotTriedAgain) {
    options_.ca_file = make_certificate(dir_, "other").certificate;
    try {
        (void)fetch("content");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::Network);
        EXPECT_NE(std::string(e.what()).find("certificate"), std::string::npos) << e.what();
        EXPECT_EQ(std::string(e.what()).find("attempts"), std::string::npos) << e.what();
        EXPECT_NE(e.hint().find("net.ca_file"), std::string::npos);
    }
    EXPECT_TRUE(registry_.requests().empty());
}

TEST_F(RegistryTlsTest, TheSystemsCasDoNotKnowIt) {
    expect_error(ErrorCode::Network, "certificate", [&] { (void)fetch("content"); });
}

// It is parsed once per process: not longer than it is the same.
TEST_F(RegistryTlsTest, ACaFileThatChangesIsReadAgain) {
    const std::string used = dir_ / "used.pem";
    const auto use = [&](const TlsFiles& files) {
        std::filesystem::copy_file(
            files.certificate, used, std::filesystem::copy_options::overwrite_existing);
    };
    options_.ca_file = used;
    use(files_);
    EXPECT_EQ(fetch("content"), "content");
    use(make_certificate(dir_, "other"));
    expect_error(ErrorCode::Network, "certificate", [&] { (void)fetch("content"); });
    use(files_);
    EXPECT_EQ(fetch("content"), "content");
}

TEST_F(RegistryTlsTest, ACaFileThatHoldsNoneIsNamed) {
    options_.ca_file = dir_ / "empty.pem";
    std::ofstream(options_.ca_file) << "nothing\n";
    expect_error(ErrorCode::Network, "empty.pem", [&] { (void)fetch("content"); });
}

TEST_F(RegistryTlsTest, APlainRegistryNeedsNoCaFile) {
    TestRegistry plain;
    const std::string content = "content";
    plain.add_blob(content);
    options_.ca_file = dir_ / "none.pem";
    MemorySink sink(content.size());
    open_source(parse_image_ref(plain.reference("a", "b")), options_)
        ->fetch_blob(test::descriptor_of(content), sink, {});
    EXPECT_EQ(as_text(sink.bytes()), content);
}

TEST_F(RegistryTlsTest, AMissingCaFileIsNamed) {
    options_.ca_file = dir_ / "none.pem";
    expect_error(ErrorCode::Network, "none.pem", [&] { (void)fetch("content"); });
}

TEST_F(RegistryTlsTest, ARedirectToPlainHttpIsRefusedEvenLocally) {
    options_.ca_file = files_.certificate;
    TestRegistry plain;
    registry_.add_fault({.status = 307, .location = "http://" + plain.host() + "/x"});
    expect_error(ErrorCode::Network, "from HTTPS to plain HTTP", [&] { (void)fetch("content"); });
    EXPECT_TRUE(plain.requests().empty());
}

TEST_F(RegistryTlsTest, ATokenServiceOverPlainHttpIsRefusedEvenLocally) {
    options_.ca_file = files_.certificate;
    TestRegistry desk;
    desk.set_guard({});
    registry_.set_guard({.realm = "http://" + desk.host() + "/token"});
    expect_error(ErrorCode::Network, "as its token service", [&] { (void)fetch("content"); });
    EXPECT_TRUE(desk.requests().empty());
}

TEST_F(RegistryTlsTest, ATokenIsFetchedOverTls) {
    options_.ca_file = files_.certificate;
    registry_.set_guard({});
    EXPECT_EQ(fetch("content"), "content");
}

TEST_F(RegistryTlsTest, AnAuthorityFromCertsDirIsTrustedForItsHostOnly) {
    const std::string folder = dir_ / ("certs.d/" + registry_.host());
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(files_.certificate, folder + "/ca.crt");
    options_.certs_dirs = {dir_ / "certs.d"};
    EXPECT_EQ(fetch("content"), "content");
    options_.ca_file = make_certificate(dir_, "other").certificate;
    EXPECT_EQ(fetch("content"), "content") << "beside the file that replaces the system's";
    std::filesystem::rename(folder, dir_ / "certs.d/127.0.0.1:1");
    expect_error(ErrorCode::Network, "certificate", [&] { (void)fetch("content"); });
}

TEST_F(RegistryTlsTest, AClientCertificateIsShownToItsHostOnly) {
    const TlsFiles client = make_certificate(dir_, "client");
    TestRegistry strict(TlsFiles{files_.certificate, files_.key, client.certificate});
    const std::string digest = strict.add_blob("content");
    options_.ca_file = files_.certificate;
    options_.max_attempts = 1;
    const auto fetch_strictly = [&] {
        MemorySink sink(7);
        open_source(parse_image_ref(strict.reference("a", "b")), options_)
            ->fetch_blob(test::descriptor_of("content"), sink, {});
        return std::string(as_text(sink.bytes()));
    };
    expect_error(ErrorCode::Network, "certificate required", fetch_strictly);
    const std::string folder = dir_ / ("certs.d/" + strict.host());
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(client.certificate, folder + "/client.cert");
    std::filesystem::copy_file(client.key, folder + "/client.key");
    options_.certs_dirs = {dir_ / "certs.d"};
    EXPECT_EQ(fetch_strictly(), "content");
    TestRegistry other(TlsFiles{files_.certificate, files_.key, client.certificate});
    strict.add_fault({.status = 307, .location = "https://" + other.host() + "/v2/x"});
    expect_error(ErrorCode::Network, "certificate required", fetch_strictly);
    EXPECT_TRUE(other.requests().empty());
}

TEST_F(RegistryTlsTest, ABlobIsContinuedOverTls) {
    options_.ca_file = files_.certificate;
    const std::string content(300'000, 'x');
    registry_.add_fault({.times = 1, .close_after = 100'000});
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(registry_.requests().size(), 2U);
}

}  // namespace
}  // namespace cfs::net
