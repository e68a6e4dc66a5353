// SPDX-License-Identifier: Apache-2.0
#include "net/image_ref.hpp"

#include "support/expect_error.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

using test::expect_error;

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ImageRef, LayoutWithoutTag) {
    const ImageRef ref = parse_image_ref("oci:/srv/image");
    EXPECT_EQ(ref.transport, Transport::OciLayout);
    EXPECT_EQ(ref.path, "/srv/image");
    EXPECT_EQ(ref.tag, "");
}

TEST(ImageRef, TheLastColonBeginsTheTag) {
    const ImageRef ref = parse_image_ref("oci-archive:a:b/c:d:v1.2_x-y");
    EXPECT_EQ(ref.transport, Transport::OciArchive);
    EXPECT_EQ(ref.path, "a:b/c:d");
    EXPECT_EQ(ref.tag, "v1.2_x-y");
}

TEST(ImageRef, AColonBeforeASlashIsPartOfTheDirectory) {
    EXPECT_EQ(parse_image_ref("oci:/srv/a:b/image").path, "/srv/a:b/image");
    EXPECT_EQ(parse_image_ref("oci:/srv/a:b/").path, "/srv/a:b/");
}

TEST(ImageRef, RegistryWithPortTagAndDigest) {
    const ImageRef ref = parse_image_ref("docker://Reg.Example.com:5000/team/os-x:v1@" + kDigest);
    EXPECT_EQ(ref.transport, Transport::Registry);
    EXPECT_EQ(ref.host, "reg.example.com:5000");
    EXPECT_EQ(ref.name, "team/os-x");
    EXPECT_EQ(ref.tag, "v1");
    ASSERT_TRUE(ref.digest);
    EXPECT_EQ(to_oci(*ref.digest), kDigest);
}

TEST(ImageRef, RegistryTagDefaultsToLatestUnlessPinned) {
    EXPECT_EQ(parse_image_ref("docker://h/n").tag, "latest");
    EXPECT_EQ(parse_image_ref("docker://h/n@" + kDigest).tag, "");
}

class ImageRefText : public testing::TestWithParam<std::string> {};

TEST_P(ImageRefText, IsCanonical) {
    const ImageRef ref = parse_image_ref(GetParam());
    EXPECT_EQ(to_string(ref), GetParam());
    EXPECT_EQ(parse_image_ref(to_string(ref)), ref);
}

INSTANTIATE_TEST_SUITE_P(All,
                         ImageRefText,
                         testing::Values("oci:dir",
                                         "oci:dir:tag",
                                         "oci:/a:b/c",
                                         "oci-archive:/x.tar:t",
                                         "docker://localhost/a/b:c",
                                         "docker://[::1]:5000/a__b/c-d.e:c",
                                         "docker://h:1/n@sha256:" + std::string(64, '0')));

struct Refused {
    std::string text;
    std::string message;
};

void PrintTo(const Refused& refused, std::ostream* out) {
    *out << '"' << refused.text.substr(0, 40) << '"';
}

class ImageRefRefuses : public testing::TestWithParam<Refused> {};

TEST_P(ImageRefRefuses, WithAnExample) {
    try {
        (void)parse_image_ref(GetParam().text);
        FAIL() << "accepted";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::InvalidArgs);
        EXPECT_NE(std::string(e.what()).find(GetParam().message), std::string::npos) << e.what();
        EXPECT_NE(e.hint().find("docker://registry.example.com"), std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(All,
                         ImageRefRefuses,
                         testing::Values(Refused{"", "does not start with"},
                                         Refused{"debian:12", "does not start with"},
                                         Refused{"https://h/n:t", "does not start with"},
                                         Refused{"oci:", "no path"},
                                         Refused{"oci::tag", "no path"},
                                         Refused{"oci:dir:", "is no tag"},
                                         Refused{"oci:dir:a b", "is no tag"},
                                         Refused{std::string("oci:a\0b", 7), "zero byte"},
                                         Refused{"docker://debian", "no '/'"},
                                         Refused{"docker:///n", "is no registry host"},
                                         Refused{"docker://user@h/n", "is no registry host"},
                                         Refused{"docker://h:0/n", "is no registry host"},
                                         Refused{"docker://h:65536/n", "is no registry host"},
                                         Refused{"docker://[::1/n", "is no registry host"},
                                         Refused{"docker://a..b/n", "is no registry host"},
                                         Refused{"docker://h/Upper", "is no image name"},
                                         Refused{"docker://h/a//b", "is no image name"},
                                         Refused{"docker://h/a/../b", "is no image name"},
                                         Refused{"docker://h/a___b", "is no image name"},
                                         Refused{"docker://h/n:-x", "is no tag"},
                                         Refused{"docker://h/n:" + std::string(129, 'x'),
                                                 "is no tag"},
                                         Refused{"docker://h/n@sha256:12", "is no digest"},
                                         Refused{"docker://h/n?x=y", "is no image name"}));

}  // namespace
}  // namespace cfs::net
