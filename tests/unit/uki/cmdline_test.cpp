// SPDX-License-Identifier: Apache-2.0
#include "uki/cmdline.hpp"

#include "base/error.hpp"
#include "unit/uki/pe_builder.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace cfs::uki {
namespace {

using cfs::test::error_of;

const std::string k256(64, 'a');
const std::string k512(128, 'b');

std::string args_error(const std::string& cmdline) {
    return error_of([&] { (void)composefs_args(cmdline); });
}

TEST(CommandLine, IsSplitAtAnyWhiteSpace) {
    const auto tokens = split_cmdline("  a b\tc\nd\r\ne\vf\f");
    EXPECT_EQ(tokens, (std::vector<std::string_view>{"a", "b", "c", "d", "e", "f"}));
    EXPECT_TRUE(split_cmdline("").empty());
    EXPECT_TRUE(split_cmdline(" \n").empty());
}

TEST(CommandLine, IsNotSplitInsideQuotes) {
    const auto tokens = split_cmdline(R"(a="b c" "d e"=f g\" h i" j)");
    EXPECT_EQ(tokens,
              (std::vector<std::string_view>{R"(a="b c")", R"("d e"=f)", R"(g\" h i")", "j"}));
}

TEST(CommandLine, AnOpenQuoteReachesToTheEnd) {
    EXPECT_EQ(split_cmdline(R"(a "b c)"), (std::vector<std::string_view>{"a", R"("b c)"}));
}

TEST(ComposefsArg, ShortFormIsV2) {
    const auto arg = composefs_arg("quiet composefs=" + k256 + " ro");
    EXPECT_EQ(arg.key, ComposefsKey::Composefs);
    EXPECT_EQ(arg.version, ErofsFormat::V2);
    EXPECT_EQ(arg.algorithm(), HashAlgorithm::Sha256);
    EXPECT_EQ(arg.digest.hex(), k256);
    EXPECT_FALSE(arg.insecure);
    EXPECT_EQ(arg.token, "composefs=" + k256);
}

TEST(ComposefsArg, LengthTellsTheHash) {
    EXPECT_EQ(composefs_arg("composefs=" + k512).algorithm(), HashAlgorithm::Sha512);
}

TEST(ComposefsArg, LongFormNamesVersionAndHash) {
    const auto one = composefs_arg("composefs.digest=v1-sha256-12:" + k256);
    EXPECT_EQ(one.key, ComposefsKey::ComposefsDigest);
    EXPECT_EQ(one.version, ErofsFormat::V1);
    EXPECT_EQ(one.digest.hex(), k256);
    const auto two = composefs_arg("composefs.digest=v2-sha512-12:" + k512);
    EXPECT_EQ(two.version, ErofsFormat::V2);
    EXPECT_EQ(two.algorithm(), HashAlgorithm::Sha512);
}

TEST(ComposefsArg, AQuestionMarkMakesVerityOptional) {
    EXPECT_TRUE(composefs_arg("composefs=?" + k256).insecure);
    EXPECT_TRUE(composefs_arg("composefs.digest=?v1-sha512-12:" + k512).insecure);
}

TEST(ComposefsArg, TheFirstOfBothSpellingsDecides) {
    const std::string v1 = "composefs.digest=v1-sha256-12:" + k256;
    const std::string v2 = "composefs=" + std::string(64, 'c');
    EXPECT_EQ(composefs_arg(v1 + " " + v2).token, v1);
    EXPECT_EQ(composefs_arg(v2 + " " + v1).token, v2);
    const auto both = composefs_args(v2 + " " + v1);
    ASSERT_EQ(both.size(), 2U);
    EXPECT_EQ(both[1].version, ErofsFormat::V1);
}

TEST(ComposefsArg, UpperCaseHexIsTheSameDigest) {
    EXPECT_EQ(composefs_arg("composefs=" + std::string(64, 'A')).digest.hex(), k256);
}

TEST(ComposefsArg, OtherKeysAreNotOurs) {
    EXPECT_TRUE(composefs_args("xcomposefs=1 composefs2=2 composefs.x=3 rd.composefs=4 root=x "
                               "ostree.composefs=5 Composefs=6")
                    .empty());
    EXPECT_TRUE(composefs_args(R"(x="y composefs=z" foo='composefs=)").empty());
}

TEST(ComposefsArg, TwoDashesEndNothing) {
    EXPECT_EQ(composefs_args("quiet -- composefs=" + k256).size(), 1U);
}

TEST(ComposefsArg, MissingIsAnErrorWithAHint) {
    try {
        (void)composefs_arg("quiet root=/dev/sda1");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::BadFormat);
        EXPECT_NE(std::string(e.what()).find("names no composefs image"), std::string::npos);
        EXPECT_NE(std::string(e.what()).find("quiet root=/dev/sda1"), std::string::npos);
        EXPECT_FALSE(e.hint().empty());
    }
}

struct Malformed {
    const char* name;
    std::string cmdline;
    const char* says;
};

std::ostream& operator<<(std::ostream& out, const Malformed& row) {
    return out << row.name;
}

class MalformedComposefsArg : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedComposefsArg, IsRefused) {
    const std::string found = args_error(GetParam().cmdline);
    EXPECT_EQ(found.rfind("BadFormat: ", 0), 0U);
    EXPECT_NE(found.find(GetParam().says), std::string::npos) << found;
}

const Malformed kMalformed[] = {
    {"NoValue", "composefs", "it has no value"},
    {"EmptyValue", "composefs=", "the digest has 0 characters"},
    {"OnlyAQuestionMark", "composefs=?", "the digest has 0 characters"},
    {"TwoQuestionMarks", "composefs=??" + k256, "the digest has 65 characters"},
    {"TooShort", "composefs=" + k256.substr(1), "the digest has 63 characters"},
    {"TooLong", "composefs=" + k256 + "a", "the digest has 65 characters"},
    {"NotHex", "composefs=" + std::string(64, 'g'), "hex digits are expected"},
    {"QuestionMarkBehind", "composefs=" + k256 + "?", "the digest has 65 characters"},
    {"QuotedValue", "composefs=\"" + k256 + "\"", "it must not be quoted"},
    {"QuotedArgument", "\"composefs=" + k256 + "\"", "it must not be quoted"},
    {"QuotedKey", "\"composefs\"=" + k256, "it must not be quoted"},
    {"BadBehindGood", "composefs.digest=v1-sha256-12:" + k256 + " composefs=x", "has 1 character"},
    {"LongWithoutColon", "composefs.digest=" + k256, "no ':' in front of the digest"},
    {"LongWithoutHash", "composefs.digest=v1:" + k256, "<version>-<hash>-12 is expected"},
    {"LongWithoutBlockSize", "composefs.digest=v1-sha256:" + k256, "<version>-<hash>-12"},
    {"UnknownVersion", "composefs.digest=v3-sha256-12:" + k256, "version 'v3' is not v1 or v2"},
    {"VersionZero", "composefs.digest=v0-sha256-12:" + k256, "version 'v0' is not v1 or v2"},
    {"UnknownHash", "composefs.digest=v1-sha1-12:" + k256, "hash 'sha1' is not sha256"},
    {"OtherBlockSize", "composefs.digest=v1-sha256-16:" + k256, "block size '16' is not 12"},
    {"MoreWords", "composefs.digest=v1-sha256-12-x:" + k256, "block size '12-x' is not 12"},
    {"LengthOfOtherHash", "composefs.digest=v1-sha512-12:" + k256, "not that of sha512"},
    {"ShortTwice", "composefs=" + k256 + " composefs=" + k256, "has 'composefs' twice"},
    {"LongTwice",
     "composefs.digest=v1-sha256-12:" + k256 + " composefs.digest=v2-sha256-12:" + k256,
     "has 'composefs.digest' twice"},
};

INSTANTIATE_TEST_SUITE_P(All,
                         MalformedComposefsArg,
                         testing::ValuesIn(kMalformed),
                         test::case_name);

TEST(ComposefsArg, IsWrittenAsItIsRead) {
    for (const auto& digest : {*Digest::from_hex(k256), *Digest::from_hex(k512)}) {
        for (const auto version : {ErofsFormat::V1, ErofsFormat::V2}) {
            for (const bool insecure : {false, true}) {
                const auto arg = composefs_arg(make_composefs_arg(version, digest, insecure));
                EXPECT_EQ(arg.version, version);
                EXPECT_EQ(arg.digest, digest);
                EXPECT_EQ(arg.insecure, insecure);
            }
        }
    }
}

TEST(ComposefsArg, IsSpelledLikeComposefsRsSpellsIt) {
    const Digest digest = *Digest::from_hex(k256);
    EXPECT_EQ(make_composefs_arg(ErofsFormat::V1, digest, false),
              "composefs.digest=v1-sha256-12:" + k256);
    EXPECT_EQ(make_composefs_arg(ErofsFormat::V2, digest, true), "composefs=?" + k256);
    EXPECT_EQ(make_composefs_arg(ErofsFormat::V2, digest, true, ComposefsKey::ComposefsDigest),
              "composefs.digest=?v2-sha256-12:" + k256);
}

TEST(ComposefsArg, ShortFormCannotNameAV1Image) {
    EXPECT_EQ(error_of([] {
                  (void)make_composefs_arg(
                      ErofsFormat::V1, Digest(), false, ComposefsKey::Composefs);
              }),
              "InvalidArgs: 'composefs=' can name only a V2 image");
}

}  // namespace
}  // namespace cfs::uki
