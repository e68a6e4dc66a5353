// SPDX-License-Identifier: Apache-2.0
#include "net/referrers.hpp"

#include "registry_fixture.hpp"
#include "support/temp_dir.hpp"

namespace cfs::net {
namespace {

using test::descriptor_json;
using test::expect_error;
using test::index_json;

constexpr const char* kSignature = "application/vnd.example.signature";
constexpr const char* kSbom = "application/vnd.example.sbom";

std::string referrer(const std::string& content, const std::string& type) {
    return descriptor_json(kOciManifest, content, R"(,"artifactType":")" + type + "\"");
}

std::string list(const std::vector<std::string>& entries) {
    std::string out = index_json(entries);
    return out.insert(1, R"("mediaType":")" + std::string(kOciIndex) + "\",");
}

std::vector<std::string> digests(const std::vector<Descriptor>& found) {
    std::vector<std::string> out;
    for (const Descriptor& one : found)
        out.push_back(to_oci(one.digest));
    return out;
}

std::vector<std::string> digests(const std::vector<std::string>& contents) {
    std::vector<std::string> out;
    for (const std::string& one : contents)
        out.push_back(test::oci_digest(one));
    return out;
}

TEST(ReferrersTag, FollowsTheSpecification) {
    // distribution-spec 1.1, "Referrers Tag Schema": two parts, cut to 32 and 64 characters.
    EXPECT_EQ(referrers_tag(*digest_from_oci("sha256:" + std::string(64, 'b'))),
              "sha256-" + std::string(64, 'b'));
    EXPECT_EQ(referrers_tag(*digest_from_oci("sha512:" + std::string(128, 'a'))),
              "sha512-" + std::string(64, 'a'));
}

TEST(NextPage, IsTheSameListAgain) {
    const std::string path = "/v2/a/referrers/sha256:x";
    EXPECT_EQ(next_page("", path), "");
    EXPECT_EQ(next_page("<" + path + "?last=7>; rel=\"next\"", path), "?last=7");
    EXPECT_EQ(next_page("<https://r.example" + path + "?last=7>; rel=next", path), "?last=7");
    EXPECT_EQ(next_page("</doc>; rel=\"help\", <" + path + "?n=1&u=http://x>; rel=\"next\"", path),
              "?n=1&u=http://x");
    EXPECT_EQ(next_page("</doc>; rel=\"help\"", path), "");
    for (const std::string bad : {"/v2/b/referrers/sha256:x?last=7",
                                  "/v2/a/referrers/sha256:xy",
                                  "/v2/a/referrers/sha256:x",
                                  "//evil.example/v2/a/referrers/sha256:x?y",
                                  "https://evil.example",
                                  "/v2/a/referrers/sha256:x?a b"}) {
        expect_error(ErrorCode::Network, "no part of it", [&] {
            (void)next_page("<" + bad + ">; rel=\"next\"", path);
        });
    }
    for (const char* odd : {"<", "<>", "<x", "x>; rel=next", "><; rel=next"}) {
        EXPECT_EQ(next_page(odd, path), "") << odd;
    }
}

class ReferrersTest : public test::RegistryFixture {
 protected:
    std::vector<std::string> find(const std::string& type = "") {
        return digests(open()->referrers(subject_, type, {}));
    }

    std::string path() const { return "/v2/team/os/referrers/" + to_oci(subject_); }

    const Digest subject_ = hash(HashAlgorithm::Sha256, as_bytes("the image"));
};

TEST_F(ReferrersTest, TheApisListIsFilteredByType) {
    registry_.add_document(
        path(), list({referrer("s", kSignature), referrer("b", kSbom)}), std::string(kOciIndex));
    EXPECT_EQ(find(), digests(std::vector<std::string>{"s", "b"}));
    EXPECT_EQ(find(kSbom), digests(std::vector<std::string>{"b"}));
    EXPECT_EQ(find("application/other"), std::vector<std::string>{});
    EXPECT_EQ(registry_.requests().size(), 3U);
}

TEST_F(ReferrersTest, PagesAreFollowed) {
    registry_.add_document(path(), list({referrer("s", kSignature)}), std::string(kOciIndex));
    registry_.add_document(path() + "?last=1",
                           list({referrer("s", kSignature), referrer("b", kSbom)}),
                           std::string(kOciIndex));
    registry_.add_fault({.times = 1, .headers = "Link: <" + path() + "?last=1>; rel=\"next\"\r\n"});
    EXPECT_EQ(find(), digests(std::vector<std::string>{"s", "b"}));
    EXPECT_EQ(registry_.requests().size(), 2U);
}

TEST_F(ReferrersTest, PagesWithoutAnEndAreGivenUp) {
    registry_.add_document(path(), list({}), std::string(kOciIndex));
    registry_.add_document(path() + "?last=1", list({}), std::string(kOciIndex));
    registry_.add_fault({.headers = "Link: <" + path() + "?last=1>; rel=\"next\"\r\n"});
    expect_error(ErrorCode::BadFormat, "more than 32 parts", [&] { (void)find(); });
}

TEST_F(ReferrersTest, WithoutTheApiATagHoldsTheList) {
    registry_.add_manifest("team/os",
                           referrers_tag(subject_),
                           list({referrer("s", kSignature), referrer("b", kSbom)}),
                           std::string(kOciIndex));
    EXPECT_EQ(find(kSignature), digests(std::vector<std::string>{"s"}));
    EXPECT_EQ(registry_.requests()[1].target, "/v2/team/os/manifests/" + referrers_tag(subject_));
}

TEST_F(ReferrersTest, WithoutEitherThereAreNone) {
    EXPECT_EQ(find(), std::vector<std::string>{});
}

TEST_F(ReferrersTest, OddAnswersAreNamed) {
    registry_.add_document(path(), "<html>", "text/html");
    expect_error(ErrorCode::BadFormat, "got text/html instead of a list of referrers", [&] {
        (void)find();
    });
    registry_.add_document(path(), image_.manifest(), std::string(kOciManifest));
    expect_error(ErrorCode::BadFormat, "referrers of sha256:", [&] { (void)find(); });
    registry_.add_fault({.status = 500});
    expect_error(ErrorCode::Network, "after 4 attempts", [&] { (void)find(); });
}

TEST_F(ReferrersTest, AGuardedRegistryIsAnswered) {
    registry_.set_guard({});
    registry_.add_document(path(), list({referrer("s", kSignature)}), std::string(kOciIndex));
    EXPECT_EQ(find(), digests(std::vector<std::string>{"s"}));
}

std::string artifact(const std::string& subject, const std::string& type) {
    return R"({"schemaVersion":2,"mediaType":")" + std::string(kOciManifest) + "\"," +
           (type.empty() ? "" : R"("artifactType":")" + type + "\",") + R"("config":)" +
           descriptor_json(kSbom, "{}") + R"(,"layers":[],"subject":)" +
           descriptor_json(kOciManifest, subject) + "}";
}

TEST(LayoutReferrers, AreFoundBySubjectAndByTag) {
    const test::TempDir dir;
    const auto add = [&](const std::string& content) {
        dir.write("blobs/sha256/" + hash(HashAlgorithm::Sha256, as_bytes(content)).hex(), content);
        return content;
    };
    const Digest subject = hash(HashAlgorithm::Sha256, as_bytes("the image"));
    const std::string mine = add(artifact("the image", kSignature));
    const std::string by_config = add(artifact("the image", ""));
    const std::string other = add(artifact("another image", kSignature));
    const std::string tagged = add(list({referrer("s", kSignature)}));
    dir.write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    dir.write(
        "index.json",
        index_json({descriptor_json(kOciManifest, mine),
                    descriptor_json(kOciManifest, by_config),
                    descriptor_json(kOciManifest, other),
                    descriptor_json(kOciManifest, "not copied"),
                    descriptor_json(kOciIndex, tagged, test::tag_json(referrers_tag(subject)))}));
    const auto source = open_source(parse_image_ref("oci:" + dir.path()), {});
    EXPECT_EQ(digests(source->referrers(subject, "", {})),
              digests(std::vector<std::string>{mine, by_config, "s"}));
    EXPECT_EQ(digests(source->referrers(subject, kSignature, {})),
              digests(std::vector<std::string>{mine, "s"}));
    EXPECT_EQ(digests(source->referrers(subject, kSbom, {})),
              digests(std::vector<std::string>{by_config}));
}

}  // namespace
}  // namespace cfs::net
