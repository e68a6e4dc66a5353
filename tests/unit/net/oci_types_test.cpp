// SPDX-License-Identifier: Apache-2.0
#include "net/oci_types.hpp"

#include "support/expect_error.hpp"
#include "test_image.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

using test::expect_error;
using test::TestImage;

ByteView view(const std::string& text) {
    return as_bytes(text);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(OciManifest, ReadsConfigAndLayersInOrder) {
    const TestImage image;
    const std::string text = image.manifest();
    const Manifest manifest = parse_manifest(view(text));
    EXPECT_EQ(manifest.media_type, kOciManifest);
    EXPECT_EQ(to_oci(manifest.config.digest), test::oci_digest(image.config()));
    ASSERT_EQ(manifest.layers.size(), 2U);
    EXPECT_EQ(to_oci(manifest.layers[1].digest), test::oci_digest("layer two"));
    EXPECT_EQ(manifest.layers[1].size, 9U);
}

TEST(OciManifest, ReadsDockerSchema2AndAnnotations) {
    const std::string text = replaced(
        replaced(TestImage().manifest(), std::string(kOciManifest), std::string(kDockerManifest)),
        R"("schemaVersion":2)",
        R"("schemaVersion":2,"annotations":{"a.b":"c"})");
    const Manifest manifest = parse_manifest(view(text));
    EXPECT_EQ(manifest.media_type, kDockerManifest);
    EXPECT_EQ(manifest.annotations.at("a.b"), "c");
}

TEST(OciConfig, ReadsPlatformDiffIdsAndLabels) {
    const std::string text =
        replaced(TestImage().config(), "{", R"({"config":{"Labels":{"k":"v"}},"variant":"v2",)");
    const ImageConfig config = parse_config(view(text));
    EXPECT_EQ(config.os, "linux");
    EXPECT_EQ(config.architecture, "amd64");
    EXPECT_EQ(config.variant, "v2");
    ASSERT_EQ(config.diff_ids.size(), 2U);
    EXPECT_EQ(to_oci(config.diff_ids[0]), test::oci_digest("layer one"));
    EXPECT_EQ(config.labels.at("k"), "v");
}

TEST(OciConfig, NullMembersAreAbsentOnes) {
    const std::string text = replaced(TestImage().config(), "{", R"({"config":{"Labels":null},)");
    EXPECT_TRUE(parse_config(view(text)).labels.empty());
}

struct BadManifest {
    const char* name;
    std::string from;
    std::string to;
    std::string message;
};

void PrintTo(const BadManifest& bad, std::ostream* out) {
    *out << bad.name;
}

class OciManifestRefuses : public testing::TestWithParam<BadManifest> {};

TEST_P(OciManifestRefuses, WithTheFieldsName) {
    const std::string text = replaced(TestImage().manifest(), GetParam().from, GetParam().to);
    expect_error(
        ErrorCode::BadFormat, GetParam().message, [&] { (void)parse_manifest(view(text)); });
}

INSTANTIATE_TEST_SUITE_P(
    Fields,
    OciManifestRefuses,
    testing::Values(
        BadManifest{"NegativeSize",
                    R"("size":9})",
                    R"("size":-9})",
                    "'layers[0].size': the size is negative"},
        BadManifest{"FractionalSize", R"("size":9})", R"("size":9.5})", "expected a whole number"},
        BadManifest{"HugeSize", R"("size":9})", R"("size":9007199254740993})", "more than 2^53"},
        BadManifest{"SizeAsText", R"("size":9})", R"("size":"9"})", "found a string"},
        BadManifest{
            "UpperCaseDigest", R"("digest":"sha256:)", R"("digest":"SHA256:)", "is no digest"},
        BadManifest{"ShortDigest", R"("digest":"sha256:)", R"("digest":"sha256:0)", "is no digest"},
        BadManifest{"SchemaVersion1",
                    R"("schemaVersion":2)",
                    R"("schemaVersion":1)",
                    "expected 2, found 1"},
        BadManifest{"NoConfig", R"("config":)", R"("konfig":)", "'config': missing"},
        BadManifest{"NoLayers", R"("layers":[)", R"("slayers":[)", "'layers': missing"},
        BadManifest{"LayersNoArray",
                    R"("layers":[)",
                    R"("layers":7,"x":[)",
                    "expected an array, found a number"},
        BadManifest{"NumberAnnotation",
                    R"("schemaVersion":2)",
                    R"("schemaVersion":2,"annotations":{"a":1})",
                    "'annotations.a': expected a string"},
        BadManifest{"AlsoAnIndex",
                    R"("schemaVersion":2)",
                    R"("schemaVersion":2,"manifests":[])",
                    "'manifests'"}),
    [](const auto& one) { return one.param.name; });

TEST(OciDocument, MayNotBeLargerThanFourMebibytes) {
    std::string text = TestImage().manifest();
    text.append(kMaxDocumentBytes, ' ');
    expect_error(
        ErrorCode::BadFormat, "at most 4194304", [&] { (void)parse_manifest(view(text)); });
}

TEST(OciDocument, MayNotHaveMoreThan512Layers) {
    TestImage image;
    image.layers.assign(kMaxLayers + 1, "x");
    const std::string text = image.manifest();
    expect_error(ErrorCode::BadFormat, "at most 512", [&] { (void)parse_manifest(view(text)); });
}

TEST(OciDocument, DeepNestingIsRefused) {
    const std::string text = "{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}";
    expect_error(ErrorCode::BadFormat, "not valid JSON", [&] { (void)parse_config(view(text)); });
}

TEST(OciDocument, HtmlIsCalledSo) {
    const std::string text = "<!DOCTYPE html><html>please log in</html>";
    const std::string message = expect_error(
        ErrorCode::BadFormat, "HTML", [&] { (void)document_kind(view(text), "text/html"); });
    EXPECT_NE(message.find("please log in"), std::string::npos);
}

TEST(OciDocument, KindComesFromTypeAndMembers) {
    const std::string manifest = TestImage().manifest();
    const std::string index = test::index_json({});
    EXPECT_EQ(document_kind(view(manifest), kOciManifest), DocumentKind::Manifest);
    EXPECT_EQ(document_kind(view(manifest), ""), DocumentKind::Manifest);
    EXPECT_EQ(document_kind(view(index), "application/json"), DocumentKind::Index);
    EXPECT_EQ(document_kind(view(index), kDockerIndex), DocumentKind::Index);
}

// Two readers must not see two images in one document (CVE-2021-41190).
TEST(OciDocument, AmbiguousOnesAreRefused) {
    const std::string manifest = TestImage().manifest();
    expect_error(ErrorCode::BadFormat, "media type says otherwise", [&] {
        (void)document_kind(view(manifest), kOciIndex);
    });
    const std::string both = R"({"manifests":[],"layers":[]})";
    expect_error(ErrorCode::BadFormat, "exactly one", [&] { (void)document_kind(view(both), ""); });
}

TEST(OciDocument, OtherMediaTypesAreNamed) {
    const std::string manifest = TestImage().manifest();
    expect_error(ErrorCode::Unsupported, "schema 1", [&] {
        (void)document_kind(view(manifest),
                            "application/vnd.docker.distribution.manifest.v1+prettyjws");
    });
    expect_error(ErrorCode::Unsupported, "application/vnd.example.thing", [&] {
        (void)document_kind(view(manifest), "application/vnd.example.thing");
    });
}

TEST(OciLayout, VersionIsChecked) {
    const std::string good = R"({"imageLayoutVersion":"1.0.0"})";
    EXPECT_NO_THROW(check_layout_version(view(good)));
    const std::string bad = R"({"imageLayoutVersion":"2.0.0"})";
    expect_error(ErrorCode::Unsupported, "'2.0.0'", [&] { check_layout_version(view(bad)); });
}

TEST(RegistryError, IsShownAsOneLine) {
    const std::string json = R"({"errors":[{"code":"DENIED","message":"no\nway"}]})";
    EXPECT_EQ(describe_error_body(view(json)), "DENIED no\\x0away");
    EXPECT_EQ(describe_error_body(as_bytes("gone")), "'gone'");
}

}  // namespace
}  // namespace cfs::net
