// SPDX-License-Identifier: Apache-2.0
#include "client/image_options.hpp"

#include "base/error.hpp"
#include "client/image/load.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

using image::ErofsVersion;
using image::ImageDialect;

struct Bounds {
    std::optional<ErofsVersion> format, min, max;
    ErofsVersion expected_min, expected_max;
};

constexpr ErofsVersion kV0 = ErofsVersion::V0;
constexpr ErofsVersion kV1 = ErofsVersion::V1;

/// How mkcomposefs 1.0.8 takes its two options: each of them alone leaves the other at 0.
TEST(ErofsOptions, OfTheCDialectFollowItsTool) {
    const std::vector<Bounds> cases = {
        {{}, {}, {}, kV0, kV1},
        {{}, kV0, {}, kV0, kV0},
        {{}, kV1, {}, kV1, kV1},
        {{}, {}, kV0, kV0, kV0},
        {{}, {}, kV1, kV0, kV1},
        {{}, kV1, kV0, kV1, kV1},
        {kV0, {}, {}, kV0, kV0},
        {kV1, {}, {}, kV1, kV1},
        {kV0, {}, kV1, kV0, kV1},
        {kV1, kV0, {}, kV0, kV1},
    };
    for (const Bounds& row : cases) {
        ImageOptions options;
        options.dialect = ImageDialect::C;
        options.format = row.format;
        options.min_version = row.min;
        options.max_version = row.max;
        const image::ErofsOptions found = erofs_options(options, HashAlgorithm::Sha256);
        EXPECT_EQ(found.min_version, row.expected_min);
        EXPECT_EQ(found.max_version, row.expected_max);
        EXPECT_EQ(found.dialect, ImageDialect::C);
        EXPECT_EQ(problem_with(options), "");
    }
}

TEST(ErofsOptions, OfTheDefaultDialectAreTheFormat) {
    ImageOptions options;
    EXPECT_FALSE(options.asks_for_format());
    EXPECT_EQ(erofs_options(options, HashAlgorithm::Sha512).min_version, kV1);
    options.format = ErofsVersion::V2;
    EXPECT_TRUE(options.asks_for_format());
    EXPECT_EQ(erofs_options(options, HashAlgorithm::Sha512).min_version, ErofsVersion::V2);
    EXPECT_EQ(erofs_options(options, HashAlgorithm::Sha512).algorithm, HashAlgorithm::Sha512);
}

TEST(DefaultHash, IsThatOfTheProgram) {
    EXPECT_EQ(default_hash(ImageDialect::Rust), HashAlgorithm::Sha512);
    EXPECT_EQ(default_hash(ImageDialect::C), HashAlgorithm::Sha256);
}

TEST(ParseSource, KnowsItsKinds) {
    EXPECT_EQ(parse_source("oci:a:b").kind, SourceKind::Oci);
    EXPECT_EQ(parse_source("oci:a:b").rest, "oci:a:b");
    EXPECT_EQ(parse_source("oci-archive:a").kind, SourceKind::Oci);
    EXPECT_EQ(parse_source("docker://h/n").kind, SourceKind::Oci);
    EXPECT_EQ(parse_source("dir:/a:b").kind, SourceKind::Dir);
    EXPECT_EQ(parse_source("dir:/a:b").rest, "/a:b");
    EXPECT_EQ(parse_source("dump:-").kind, SourceKind::Dump);
    EXPECT_EQ(parse_source("image:x").kind, SourceKind::Image);
}

std::string hint_for(const std::string& source) {
    try {
        static_cast<void>(parse_source(source));
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::InvalidArgs);
        return error.hint();
    }
    ADD_FAILURE() << source << " was accepted";
    return {};
}

TEST(ParseSource, SaysWhatWasMeant) {
    const test::TempDir dir;
    dir.write("file", "x");
    EXPECT_NE(hint_for(dir.path()).find("dir:" + dir.path()), std::string::npos);
    EXPECT_NE(hint_for(dir / "file").find("image:" + dir / "file"), std::string::npos);
    EXPECT_NE(hint_for("podman:x").find("dump:FILE"), std::string::npos);
    EXPECT_NE(hint_for("dump:").find("dump:PATH"), std::string::npos);
}

TEST(CheckOptions, RefusesWhatHasNoEffect) {
    ImageOptions options;
    options.bootable = true;
    EXPECT_THROW(check_options({"dump:a"}, options), Error);
    EXPECT_THROW(check_options({"image:a"}, options), Error);
    EXPECT_NO_THROW(check_options({"image:a", "oci:b"}, options));
    EXPECT_NO_THROW(check_options({"dir:a"}, options));
    options = {};
    options.scan.digest_store = "o";
    EXPECT_THROW(check_options({"oci:a"}, options), Error);
    EXPECT_NO_THROW(check_options({"dir:a"}, options));
}

}  // namespace
}  // namespace cfs::client
