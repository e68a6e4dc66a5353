// SPDX-License-Identifier: Apache-2.0
#include "client/seal/names_image.hpp"

#include "crypto/hasher.hpp"
#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

/// Another digest for every set of rules.
Digest fake_digest(const update::DigestOptions& options) {
    const std::string rules = std::to_string(static_cast<int>(options.version)) +
                              std::to_string(static_cast<int>(options.boot_mtime)) +
                              std::to_string(static_cast<int>(options.xattrs)) +
                              (options.bootable ? "b" : "p");
    return hash(options.hash, as_bytes(rules));
}

update::DigestOptions rules(image::ErofsVersion version) {
    update::DigestOptions out;
    out.version = version;
    out.bootable = true;
    return out;
}

TEST(NamesImage, TheDefaultRulesMatchAtOnce) {
    int computed = 0;
    const Digest digest = fake_digest(rules(image::ErofsVersion::V1));
    const Digest found = check_names_image("quiet composefs.digest=v1-sha512-12:" + digest.hex(),
                                           [&](const auto& options) {
                                               ++computed;
                                               return fake_digest(options);
                                           });
    EXPECT_EQ(found, digest);
    EXPECT_EQ(computed, 1);
}

TEST(NamesImage, TheRulesOfOlderBuildersMatchToo) {
    update::DigestOptions old = rules(image::ErofsVersion::V1);
    old.boot_mtime = image::BootMtime::Seconds;
    old.xattrs = image::XattrMode::KeepUserXattrs;
    old.hash = HashAlgorithm::Sha256;
    const Digest digest = fake_digest(old);
    EXPECT_EQ(check_names_image("composefs.digest=?v1-sha256-12:" + digest.hex(), fake_digest),
              digest);
}

TEST(NamesImage, ThePlainSpellingMeansV2) {
    const Digest digest = fake_digest(rules(image::ErofsVersion::V2));
    EXPECT_EQ(check_names_image("composefs=" + digest.hex(), fake_digest), digest);
}

TEST(NamesImage, BothSpellingsMustNameTheImage) {
    const std::string v1 = fake_digest(rules(image::ErofsVersion::V1)).hex();
    const std::string wrong = hash(HashAlgorithm::Sha512, as_bytes("wrong")).hex();
    test::expect_error(ErrorCode::DigestMismatch, wrong, [&] {
        static_cast<void>(check_names_image(
            "composefs.digest=v1-sha512-12:" + v1 + " composefs=" + wrong, fake_digest));
    });
}

TEST(NamesImage, AMismatchNamesBothDigestsAndEveryCandidate) {
    const std::string wrong = hash(HashAlgorithm::Sha512, as_bytes("wrong")).hex();
    const std::string right = fake_digest(rules(image::ErofsVersion::V1)).hex();
    try {
        static_cast<void>(check_names_image("composefs.digest=v1-sha512-12:" + wrong, fake_digest));
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::DigestMismatch);
        EXPECT_NE(std::string(error.what()).find(wrong), std::string::npos);
        EXPECT_NE(std::string(error.what()).find(right), std::string::npos);
        EXPECT_NE(error.details().find("xattrs=keep-user-xattrs boot-mtime=seconds"),
                  std::string::npos);
    }
}

TEST(NamesImage, ACommandLineWithoutAnArgumentIsRefused) {
    test::expect_error(ErrorCode::BadFormat, "names no composefs image", [] {
        static_cast<void>(check_names_image("quiet", fake_digest));
    });
}

}  // namespace
}  // namespace cfs::client
