// SPDX-License-Identifier: Apache-2.0
#include "crypto/pkcs7.hpp"
#include "crypto/x509.hpp"
#include "unit/uki/pe_builder.hpp"

#include <gtest/gtest.h>

namespace cfs {
namespace {

using namespace cfs::test;

Bytes join(const std::vector<std::string>& files) {
    Bytes out;
    for (const auto& file : files) {
        const Bytes bytes = read_fixture(file);
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
}

std::string parse_error(const Bytes& file) {
    return error_of([&] { (void)Certificate::parse(file); });
}

TEST(Certificate, ReadsAllCertificatesOfAPemText) {
    const auto found = Certificate::parse(join({"db.pem", "ec.pem", "other.pem"}));
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].subject(), "CN=db,O=Test");
    EXPECT_EQ(found[1].subject(), "CN=ec,O=Test");
    EXPECT_EQ(found[2].subject(), "CN=other,O=Test");
}

TEST(Certificate, ReadsDer) {
    const Certificate pem = fixture_certificate("db");
    const Bytes der(pem.der().begin(), pem.der().end());
    const auto found = Certificate::parse(der);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0], pem);
    EXPECT_EQ(found[0].fingerprint(), pem.fingerprint());
}

TEST(Certificate, FingerprintIsTheOneThatOpensslShows) {
    const auto text = read_fixture("fingerprints.tsv");
    for (const char* name : {"db", "ec", "rsa3072", "leaf-sha1"}) {
        const std::string line =
            std::string(name) + "\t" + fixture_certificate(name).fingerprint().hex() + "\n";
        EXPECT_NE(as_text(text).find(line), std::string_view::npos) << line;
    }
}

TEST(Certificate, DescribesItsKey) {
    EXPECT_EQ(fixture_certificate("db").key_description(), "RSA 2048");
    EXPECT_EQ(fixture_certificate("rsa3072").key_type(), KeyType::Rsa);
    EXPECT_EQ(fixture_certificate("rsa3072").key_bits(), 3072U);
    EXPECT_EQ(fixture_certificate("ec").key_type(), KeyType::Ec);
    EXPECT_EQ(fixture_certificate("ec").key_description(), "EC 256");
    EXPECT_EQ(fixture_certificate("ed25519").key_type(), KeyType::Other);
    EXPECT_EQ(fixture_certificate("ed25519").key_description(), "ED25519");
}

TEST(Certificate, KnowsThatItIsSignedOverSha1) {
    EXPECT_TRUE(fixture_certificate("leaf-sha1").weak_signature());
    EXPECT_FALSE(fixture_certificate("leaf-code").weak_signature());
    EXPECT_FALSE(fixture_certificate("ec").weak_signature());
}

TEST(Certificate, SkipsOtherPemBlocks) {
    const std::string other = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    Bytes file(other.begin(), other.end());
    const Bytes cert = read_fixture("db.pem");
    file.insert(file.end(), cert.begin(), cert.end());
    EXPECT_EQ(Certificate::parse(file).size(), 1U);
    EXPECT_EQ(parse_error(Bytes(other.begin(), other.end())),
              "BadFormat: the PEM text has no certificate in it");
}

TEST(Certificate, RefusesWhatIsNone) {
    EXPECT_EQ(parse_error({}), "BadFormat: not an X.509 certificate (0 bytes)");
    EXPECT_EQ(parse_error(Bytes(100, 'x')), "BadFormat: not an X.509 certificate (100 bytes)");
    const std::string empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    EXPECT_EQ(parse_error(Bytes(empty.begin(), empty.end())),
              "BadFormat: not an X.509 certificate (3 bytes)");
}

TEST(Certificate, RefusesACutPemText) {
    Bytes file = read_fixture("db.pem");
    file.resize(file.size() / 2);
    EXPECT_EQ(parse_error(file), "BadFormat: a PEM block is cut off or not base64");
}

TEST(Certificate, RefusesBytesBehindDer) {
    const Certificate pem = fixture_certificate("db");
    Bytes der(pem.der().begin(), pem.der().end());
    der.push_back(0);
    EXPECT_EQ(parse_error(der), "BadFormat: 1 bytes behind the certificate");
}

TEST(Certificate, RefusesHugeFiles) {
    EXPECT_NE(parse_error(Bytes((1 << 20) + 1, 'x')).find("at most 1048576 are read"),
              std::string::npos);
}

TEST(AuthenticodeSignature, ShowsWhatItSigns) {
    const Bytes blob = read_fixture("db.p7");
    const auto signature = AuthenticodeSignature::parse(blob);
    EXPECT_EQ(signature.hash(), SignatureHash::Sha256);
    EXPECT_EQ(signature.image_digest().size(), 32U);
    EXPECT_EQ(signature.signer(), fixture_certificate("db"));
}

TEST(AuthenticodeSignature, RefusesACutBlob) {
    const Bytes blob = read_fixture("db.p7");
    for (std::size_t size = 0; size < blob.size(); size += 11) {
        const Bytes cut(blob.begin(), blob.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_NE(error_of([&] {
                      (void)AuthenticodeSignature::parse(cut);
                  }).find("SignatureInvalid: the signature is broken: not a PKCS#7 structure"),
                  std::string::npos);
    }
}

}  // namespace
}  // namespace cfs
