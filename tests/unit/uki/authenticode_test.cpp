// SPDX-License-Identifier: Apache-2.0
#include "uki/authenticode.hpp"

#include "base/error.hpp"
#include "unit/uki/pe_builder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <ostream>
#include <sstream>

namespace cfs::uki {
namespace {

using namespace cfs::test;

constexpr std::size_t kImageEnd = 0x1200;  // of sbsign.efi: its signature starts here
constexpr std::size_t kChecksum = kOptional + 64;

std::vector<Certificate> certificates(const std::vector<std::string>& names) {
    std::vector<Certificate> out;
    for (const auto& name : names)
        out.push_back(fixture_certificate(name));
    return out;
}

std::string verify(const Bytes& file,
                   const std::vector<std::string>& anchors,
                   const SignaturePolicy& policy = {}) {
    return error_of(
        [&] { (void)verify_authenticode(parse_pe(file), certificates(anchors), policy); });
}

// --- the image hash ------------------------------------------------------------------------------

struct Golden {
    std::string file;
    std::string algorithm;
    std::string hash;
};

std::vector<Golden> golden() {
    std::ifstream in(CFS_TEST_DATA "/uki/golden.tsv");
    std::vector<Golden> out;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line.front() == '#') continue;
        std::istringstream fields(line);
        Golden row;
        fields >> row.file >> row.algorithm >> row.hash;
        out.push_back(row);
    }
    return out;
}

std::string golden_hash(const std::string& file) {
    for (const Golden& row : golden()) {
        if (row.file == file) return row.hash;
    }
    return "no golden hash of " + file;
}

TEST(AuthenticodeHash, IsWhatOsslsigncodeCalculates) {
    const std::map<std::string, SignatureHash> algorithms = {{"sha256", SignatureHash::Sha256},
                                                             {"sha384", SignatureHash::Sha384},
                                                             {"sha512", SignatureHash::Sha512}};
    std::size_t compared = 0;
    for (const Golden& row : golden()) {
        const auto found = algorithms.find(row.algorithm);
        if (found == algorithms.end()) continue;  // SHA-1 and MD5: we do not calculate them
        const Bytes file = read_fixture(row.file);
        EXPECT_EQ(to_hex(hash_ranges(found->second, parse_pe(file).hashed_ranges())), row.hash)
            << row.file;
        ++compared;
    }
    EXPECT_GE(compared, 20U);
}

TEST(AuthenticodeHash, DoesNotChangeByBeingSigned) {
    const Bytes plain = read_fixture("unsigned.efi");
    EXPECT_EQ(parse_pe(plain).authenticode_hash(HashAlgorithm::Sha256).hex(),
              golden_hash("sbsign.efi"));
    const Bytes odd = read_fixture("odd-unsigned.efi");
    EXPECT_EQ(parse_pe(odd).authenticode_hash(HashAlgorithm::Sha256).hex(),
              golden_hash("odd-sbsign.efi"));
}

TEST(AuthenticodeHash, KnowsSha512) {
    const Bytes file = read_fixture("sha512.efi");
    EXPECT_EQ(parse_pe(file).authenticode_hash(HashAlgorithm::Sha512).hex(),
              golden_hash("sha512.efi"));
}

/// Everything that is hashed, as it was told.
Bytes told_by(const Bytes& file, const std::function<void(const PeImage&)>& work) {
    Bytes out;
    work(
        parse_pe(file, [&](ByteView piece) { out.insert(out.end(), piece.begin(), piece.end()); }));
    return out;
}

TEST(AuthenticodeHash, TellsOfEveryPieceOnceItIsHashed) {
    const Bytes file = read_fixture("sbsign.efi");
    Bytes hashed;
    const PeImage image = parse_pe(file);
    for (const ByteView range : image.hashed_ranges())
        hashed.insert(hashed.end(), range.begin(), range.end());
    ASSERT_GT(hashed.size(), 512U);
    EXPECT_EQ(
        told_by(file, [](const PeImage& pe) { (void)pe.authenticode_hash(HashAlgorithm::Sha256); }),
        hashed);
    EXPECT_EQ(told_by(file, [](const PeImage& pe) { (void)verify_intact(pe); }), hashed);
    EXPECT_EQ(
        told_by(file,
                [](const PeImage& pe) { (void)verify_authenticode(pe, certificates({"db"})); }),
        hashed);
}

TEST(AuthenticodeHash, CoversEveryByteButChecksumAndSignatures) {
    const Bytes file = read_fixture("sbsign.efi");
    const Digest before = parse_pe(file).authenticode_hash(HashAlgorithm::Sha256);
    std::size_t unhashed = 0;
    for (std::size_t i = 0; i < file.size(); i += i < kCertificateEntry ? 1 : 7) {
        Bytes bent = file;
        bent[i] ^= 0x20;
        try {
            if (parse_pe(bent).authenticode_hash(HashAlgorithm::Sha256) != before) continue;
        } catch (const Error&) {
            continue;
        }
        ++unhashed;
        EXPECT_TRUE((i >= kChecksum && i < kChecksum + 4) || i >= kImageEnd) << i;
    }
    EXPECT_GT(unhashed, 4U);
}

// --- who may sign --------------------------------------------------------------------------------

struct Case {
    const char* name;
    const char* file;
    std::vector<std::string> anchors;
    const char* says;  ///< "no error": accepted
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << c.name;
}

class Signature : public testing::TestWithParam<Case> {};

TEST_P(Signature, IsJudgedLikeFirmwareOrStricter) {
    const auto& [name, file, anchors, says] = GetParam();
    const std::string found = verify(read_fixture(file), anchors);
    EXPECT_NE(found.find(says), std::string::npos) << found;
    EXPECT_EQ(found == "no error", std::string(says) == "no error") << found;
}

constexpr const char* kGood = "no error";

const Case kCases[] = {
    {"SelfSignedWithoutUsage", "sbsign.efi", {"db"}, kGood},
    {"SignedByOsslsigncode", "osslsigncode.efi", {"db"}, kGood},
    {"OneOfSeveralAnchors", "sbsign.efi", {"other", "ca", "db"}, kGood},
    {"OddSizeBySbsign", "odd-sbsign.efi", {"db"}, kGood},
    {"OddSizeByOsslsigncode", "odd-osslsigncode.efi", {"db"}, kGood},
    {"DataBehindTheSections", "tail.efi", {"db"}, kGood},
    {"ChangedByObjcopyThenSigned", "objcopy.efi", {"db"}, kGood},
    {"Sha384", "sha384.efi", {"db"}, kGood},
    {"Sha512", "sha512.efi", {"db"}, kGood},
    {"Rsa3072", "by-rsa3072.efi", {"rsa3072"}, kGood},
    {"PageHashes", "page-hashes.efi", {"db"}, kGood},
    {"UnauthenticatedBlob", "unauthenticated.efi", {"db"}, kGood},
    {"CodeSigningLeafByItsCa", "by-leaf-code.efi", {"ca"}, kGood},
    {"CodeSigningLeafByItself", "by-leaf-code.efi", {"leaf-code"}, kGood},
    {"ServerLeafByItsCa", "by-leaf-server.efi", {"ca"}, kGood},
    {"ExpiredLeafByItsCa", "by-leaf-expired.efi", {"ca"}, kGood},
    {"ExpiredLeafByItself", "by-leaf-expired.efi", {"leaf-expired"}, kGood},
    {"LeafByItsIntermediate", "by-leaf-below.efi", {"intermediate"}, kGood},
    {"LeafByTheRootOverTheIntermediateInside", "by-leaf-below.efi", {"ca"}, kGood},
    {"SecondOfTwoSignatures", "other-then-db.efi", {"db"}, kGood},
    {"FirstOfTwoSignatures", "other-then-db.efi", {"other"}, kGood},
    {"WeakLeafByItself", "by-leaf-sha1.efi", {"leaf-sha1"}, kGood},
    {"WeakLeafByItselfBehindItsCa", "by-leaf-sha1.efi", {"ca", "leaf-sha1"}, kGood},

    {"NotSigned", "unsigned.efi", {"db"}, "SignatureInvalid: the image is not signed"},
    {"WrongKey",
     "by-other.efi",
     {"db", "ca"},
     "SignatureInvalid: the image is signed by CN=other,O=Test, which is not among the 2 trusted "
     "certificates"},
    {"NoAnchors", "sbsign.efi", {}, "which is not among the 0 trusted certificates"},
    {"LeafOfAnotherCa", "by-leaf-code.efi", {"db", "other"}, "not among the 2 trusted"},
    {"CaByItsLeaf", "by-leaf-below.efi", {"leaf-code"}, "not among the 1 trusted"},
    {"Sha1", "sha1.efi", {"db"}, "SignatureInvalid: the image is signed with SHA-1"},
    {"Md5", "md5.efi", {"db"}, "SignatureInvalid: the image is signed with MD5"},
    {"EcKey", "by-ec.efi", {"ec"}, "has the key EC 256; EC keys are refused by firmware"},
    {"RsaLeafOfAnEcCa",
     "by-leaf-of-ec.efi",
     {"ec"},
     "the certificate CN=ec,O=Test has the key EC 256; EC keys are refused by firmware"},
    {"RsaLeafOfAnEcCaByItself", "by-leaf-of-ec.efi", {"leaf-of-ec"}, kGood},
    {"SmallRsaKey", "by-rsa1024.efi", {"rsa1024"}, "has the key RSA 1024; at least RSA 2048"},
    {"LeafCertifiedOverSha1",
     "by-leaf-sha1.efi",
     {"ca"},
     "the certificate CN=leaf-sha1,O=Test is itself signed with SHA-1 or MD5"},
    {"NestedSignatureIsIgnored",
     "nested.efi",
     {"db"},
     "signed by CN=other,O=Test, which is not among the 1 trusted"},
    {"NeitherOfTwoSignatures",
     "other-then-db.efi",
     {"ca"},
     "none of the 2 signatures is acceptable: (1) the image is signed by CN=other,O=Test, which is "
     "not among the 1 trusted certificates; (2) the image is signed by CN=db,O=Test"},
};

INSTANTIATE_TEST_SUITE_P(Table, Signature, testing::ValuesIn(kCases), test::case_name);

// Each file breaks one rule; crafted.efi shows that nothing else is wrong with them.
const Case kCrafted[] = {
    {"Sound", "crafted.efi", {"db"}, kGood},
    {"InGuidForm", "crafted-guid.efi", {"db"}, kGood},
    {"SevenBytesOfPadding", "crafted-pad7.efi", {"db"}, kGood},
    {"EightBytesOfPadding", "crafted-pad8.efi", {"db"}, "broken: 8 bytes follow the PKCS#7"},
    {"GarbagePadding", "crafted-pad-garbage.efi", {"db"}, "bytes follow the PKCS#7 structure"},
    {"InOtherGuidForm", "crafted-other-guid.efi", {"db"}, "the image is not signed"},
    {"NoAttributes", "crafted-no-attributes.efi", {"db"}, "broken: no signed attributes"},
    {"NoContentType", "crafted-no-type.efi", {"db"}, "do not name the content's type"},
    {"OtherContentType", "crafted-other-type.efi", {"db"}, "do not name the content's type"},
    {"NoMessageDigest", "crafted-no-digest.efi", {"db"}, "have no message digest"},
    {"TwoSigners", "crafted-two-signers.efi", {"db"}, "broken: 2 signers instead of one"},
    {"NoSigner", "crafted-no-signer.efi", {"db"}, "broken: 0 signers instead of one"},
    {"NoCertificate", "crafted-no-cert.efi", {"db"}, "the signer's certificate is not inside"},
    {"TwoHashAlgorithms",
     "crafted-two-hashes.efi",
     {"db"},
     "firmware does not read: 2 digest algorithms instead of one"},
    {"OtherHashInside", "crafted-mixed-hashes.efi", {"db"}, "different hash algorithms"},
    {"ShortImageDigest", "crafted-short-digest.efi", {"db"}, "its image digest has 31 bytes"},
    {"NotOfAPeImage", "crafted-not-pe.efi", {"db"}, "something else than a PE image"},
    {"PlainData", "crafted-data.efi", {"db"}, "no SPC indirect data"},
    {"ContentInOctets", "crafted-octets.efi", {"db"}, "its content is not a sequence"},
    {"DataBehindTheImageDigest", "crafted-tail.efi", {"db"}, "its image digest is malformed"},
};

INSTANTIATE_TEST_SUITE_P(Crafted, Signature, testing::ValuesIn(kCrafted), test::case_name);

TEST(Authenticode, TellsWhoSignedAndWhoIsTrusted) {
    const Bytes file = read_fixture("by-leaf-below.efi");
    const SignerInfo info = verify_authenticode(parse_pe(file), certificates({"other", "ca"}));
    EXPECT_EQ(info.subject, "CN=leaf-below,O=Test");
    EXPECT_EQ(info.fingerprint, fixture_certificate("leaf-below").fingerprint());
    EXPECT_EQ(info.anchor, "CN=ca,O=Test");
    EXPECT_EQ(info.anchor_fingerprint, fixture_certificate("ca").fingerprint());
}

TEST(Authenticode, PolicyMayAllowEcKeysAndSmallOnes) {
    SignaturePolicy loose;
    loose.allow_ec = true;
    loose.min_rsa_bits = 1024;
    EXPECT_EQ(verify(read_fixture("by-ec.efi"), {"ec"}, loose), "no error");
    EXPECT_EQ(verify(read_fixture("by-leaf-of-ec.efi"), {"ec"}, loose), "no error");
    EXPECT_EQ(verify(read_fixture("by-rsa1024.efi"), {"rsa1024"}, loose), "no error");
}

TEST(Authenticode, PolicyMayAskForMore) {
    SignaturePolicy strict;
    strict.min_rsa_bits = 3072;
    EXPECT_EQ(verify(read_fixture("by-rsa3072.efi"), {"rsa3072"}, strict), "no error");
    EXPECT_NE(verify(read_fixture("sbsign.efi"), {"db"}, strict).find("RSA 3072 is required"),
              std::string::npos);
}

TEST(Authenticode, DetailsNameEveryTrustedCertificate) {
    const Bytes file = read_fixture("by-other.efi");
    try {
        (void)verify_authenticode(parse_pe(file), certificates({"db", "ca"}));
        FAIL();
    } catch (const Error& e) {
        for (const char* name : {"db", "ca", "other"}) {
            const Certificate cert = fixture_certificate(name);
            EXPECT_NE(e.details().find(cert.fingerprint().hex()), std::string::npos) << name;
        }
        EXPECT_FALSE(e.hint().empty());
    }
}

TEST(Authenticode, AFileChangedAfterSigningIsNamedWithBothHashes) {
    Bytes file = read_fixture("sbsign.efi");
    file[0x810] ^= 1;  // the command line
    const std::string now = parse_pe(file).authenticode_hash(HashAlgorithm::Sha256).hex();
    EXPECT_EQ(verify(file, {"db"}),
              "SignatureInvalid: the file was changed after signing: its SHA-256 is " + now +
                  ", signed is " + golden_hash("sbsign.efi"));
}

/// Where a byte is flipped in sbsign.efi, and what is said about it.
struct Flip {
    const char* name;
    std::size_t offset;
    const char* says;
};

std::ostream& operator<<(std::ostream& out, const Flip& flip) {
    return out << flip.name;
}

class FlippedByte : public testing::TestWithParam<Flip> {};

TEST_P(FlippedByte, IsNoticed) {
    Bytes file = read_fixture("sbsign.efi");
    file.at(GetParam().offset) ^= 1;
    const std::string found = verify(file, {"db"});
    EXPECT_NE(found.find(GetParam().says), std::string::npos) << found;
}

constexpr const char* kChanged = "the file was changed after signing";

const Flip kFlips[] = {
    {"InTheDosHeader", 0x02, kChanged},
    {"InTheTimestamp", kPe + 8, kChanged},
    {"InTheEntryPoint", kOptional + 16, kChanged},
    {"InTheChecksumThatNobodyHashes", kChecksum, "no error"},
    {"InASectionFlag", kSectionTable + 36, kChanged},
    {"InTheHeaderPadding", 0x3ff, kChanged},
    {"InTheStub", 0x400, kChanged},
    {"InTheOsRelease", 0x600, kChanged},
    {"InTheCommandLine", 0x800, kChanged},
    {"InTheKernel", 0xc00, kChanged},
    {"InSectionPadding", 0x11ff, kChanged},
    {"InTheCertificateOffset", kCertificateEntry + 3, "BadFormat"},
    {"InTheCertificateLength", kImageEnd, "BadFormat"},
    {"InTheCertificateType", kImageEnd + 6, "the image is not signed"},
    {"InTheDer", kImageEnd + 8, "the signature is broken: not a PKCS#7 structure"},
    {"InTheHashAlgorithm", kImageEnd + 8 + 40, "names different hash algorithms"},
};

INSTANTIATE_TEST_SUITE_P(At, FlippedByte, testing::ValuesIn(kFlips), test::case_name);

TEST(Authenticode, AFlippedSignatureValueIsBroken) {
    Bytes file = read_fixture("sbsign.efi");
    const std::size_t length = load_le<std::uint32_t>(file, kImageEnd);
    file[kImageEnd + length - 10] ^= 1;  // sbsign puts the signature value last
    EXPECT_NE(verify(file, {"db"}).find("SignatureInvalid: the signature is broken"),
              std::string::npos);
}

TEST(Authenticode, NoFlipInTheSignedImageIsAccepted) {
    const Bytes file = read_fixture("sbsign.efi");
    const auto anchors = certificates({"db"});
    for (std::size_t i = 0; i < kImageEnd; i += 31) {
        if (i >= kChecksum && i < kChecksum + 4) continue;
        Bytes bent = file;
        bent[i] ^= 0x80;
        EXPECT_THROW((void)verify_authenticode(parse_pe(bent), anchors), Error) << i;
    }
}

TEST(Authenticode, IntactNeedsNoAnchors) {
    const Bytes file = read_fixture("by-other.efi");
    const auto info = verify_intact(parse_pe(file));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->subject, "CN=other,O=Test");
    EXPECT_TRUE(info->anchor.empty());
}

TEST(Authenticode, IntactIsNothingWithoutASignature) {
    const Bytes file = read_fixture("unsigned.efi");
    EXPECT_FALSE(verify_intact(parse_pe(file)));
}

TEST(Authenticode, IntactRefusesAChangedFile) {
    Bytes file = read_fixture("by-other.efi");
    file[0x210] ^= 1;
    EXPECT_NE(error_of([&] { (void)verify_intact(parse_pe(file)); }).find(kChanged),
              std::string::npos);
}

}  // namespace
}  // namespace cfs::uki
