// SPDX-License-Identifier: Apache-2.0
#include "registry_fixture.hpp"

namespace cfs::net {
namespace {

using test::expect_error;
using test::Fault;

constexpr std::size_t kBlobSize = 1'000'000;

class RegistryFaultTest : public test::RegistryFixture {
 protected:
    std::size_t requests() const { return registry_.requests().size(); }
};

TEST_F(RegistryFaultTest, ABlobIsContinuedWhereItWasCut) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.times = 1, .close_after = 400'000});
    EXPECT_EQ(fetch(content), content);
    const auto seen = registry_.requests();
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[1].headers.at("range"), "bytes=400000-");
    EXPECT_EQ(source_->bytes_fetched(), kBlobSize);
}

TEST_F(RegistryFaultTest, ManyCutsWithProgressAreNoReasonToGiveUp) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.times = 10, .close_after = 90'000});
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(requests(), 11U);
    EXPECT_EQ(source_->bytes_fetched(), kBlobSize);
}

TEST_F(RegistryFaultTest, CutsWithoutProgressAre) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.close_after = 100});
    expect_error(ErrorCode::Network, "after 4 attempts", [&] { (void)fetch(content); });
    EXPECT_EQ(requests(), 4U);
}

TEST_F(RegistryFaultTest, ARegistryThatIgnoresRangeIsReadOver) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.times = 1, .close_after = 400'000});
    registry_.add_fault({.ignore_range = true});
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(source_->bytes_fetched(), kBlobSize + 400'000);
}

TEST_F(RegistryFaultTest, AnotherRangeThanAskedForIsRefused) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.times = 1, .close_after = 400'000});
    registry_.add_fault({.content_range = "bytes 399999-999998/1000000"});
    expect_error(
        ErrorCode::Network, "asked for bytes 400000-999999", [&] { (void)fetch(content); });
}

TEST_F(RegistryFaultTest, ACutAfterTheLastByteCostsNothing) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.declared_length = std::nullopt, .close_after = kBlobSize});
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(requests(), 1U);
}

TEST_F(RegistryFaultTest, AnUndeclaredCutIsNoticedAndContinued) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.times = 1, .close_after = 300'000, .no_length = true});
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(requests(), 2U);
}

TEST_F(RegistryFaultTest, ABurstOfServerErrorsIsWaitedOut) {
    publish();
    registry_.add_fault({.times = 3, .status = 503});
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    EXPECT_EQ(requests(), 5U);
}

TEST_F(RegistryFaultTest, RetryAfterIsWaitedFor) {
    publish();
    registry_.add_fault({.times = 1, .status = 429, .headers = "Retry-After: 1\r\n"});
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
    EXPECT_EQ(requests(), 3U);
}

TEST_F(RegistryFaultTest, RetryAfterAsADateIsCountedByTheServersClock) {
    publish();
    registry_.add_fault({.times = 1,
                         .status = 503,
                         .headers = "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n"
                                    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"});
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST_F(RegistryFaultTest, ALongRetryAfterIsNotWaitedFor) {
    publish();
    registry_.add_fault({.status = 429, .headers = "Retry-After: 3600\r\n"});
    expect_error(
        ErrorCode::Network, "to be asked again in 3600 seconds only", [&] { (void)resolve(); });
    EXPECT_EQ(requests(), 1U);
}

TEST_F(RegistryFaultTest, LastingServerErrorsAreNamed) {
    registry_.add_fault(
        {.status = 500, .body = R"({"errors":[{"code":"OOPS","message":"no disk"}]})"});
    expect_error(ErrorCode::Network, "after 4 attempts", [&] { (void)resolve(); });
    expect_error(ErrorCode::Network, "HTTP status 500: OOPS no disk", [&] { (void)resolve(); });
}

struct StatusCase {
    int status;
    ErrorCode code;
    std::size_t requests;
};

void PrintTo(const StatusCase& one, std::ostream* out) {
    *out << one.status;
}

class RegistryStatusTest : public RegistryFaultTest,
                           public testing::WithParamInterface<StatusCase> {};

TEST_P(RegistryStatusTest, HasItsErrorName) {
    registry_.add_fault({.status = GetParam().status});
    expect_error(GetParam().code, "HTTP status " + std::to_string(GetParam().status), [&] {
        (void)resolve();
    });
    EXPECT_EQ(requests(), GetParam().requests);
}

INSTANTIATE_TEST_SUITE_P(All,
                         RegistryStatusTest,
                         testing::Values(StatusCase{400, ErrorCode::Network, 1},
                                         StatusCase{401, ErrorCode::AuthRequired, 1},
                                         StatusCase{403, ErrorCode::AuthRequired, 1},
                                         StatusCase{404, ErrorCode::NotFound, 1},
                                         StatusCase{429, ErrorCode::Network, 4},
                                         StatusCase{500, ErrorCode::Network, 4},
                                         StatusCase{502, ErrorCode::Network, 4}),
                         [](const auto& one) { return std::to_string(one.param.status); });

TEST_F(RegistryFaultTest, AnUnknownTagIsNotFound) {
    publish();
    expect_error(ErrorCode::NotFound, "/v2/team/os/manifests/v9", [&] { (void)resolve("v9"); });
}

TEST_F(RegistryFaultTest, HtmlInsteadOfAManifest) {
    registry_.add_fault(
        {.status = 200, .content_type = "text/html; charset=utf-8", .body = "<html>log in"});
    expect_error(ErrorCode::BadFormat, "got text/html instead of a manifest: '<html>log in'", [&] {
        (void)resolve();
    });
}

TEST_F(RegistryFaultTest, HtmlInsteadOfABlob) {
    const std::string content = big_blob(1000);
    registry_.add_fault({.content_type = "text/html", .body = "<html>log in"});
    expect_error(ErrorCode::Network, "got a web page", [&] { (void)fetch(content); });
}

TEST_F(RegistryFaultTest, AManifestOfAnotherTypeIsNamed) {
    publish();
    registry_.add_fault({.path = "/manifests/", .content_type = "application/vnd.example.v7"});
    expect_error(ErrorCode::Unsupported, "application/vnd.example.v7", [&] { (void)resolve(); });
}

TEST_F(RegistryFaultTest, AnAlteredManifestIsADigestMismatch) {
    publish();
    registry_.add_fault({.path = "/manifests/", .flip_byte = 40});
    expect_error(ErrorCode::DigestMismatch, "the manifest's digest is", [&] { (void)resolve(); });
}

TEST_F(RegistryFaultTest, AnAlteredConfigIsADigestMismatch) {
    publish();
    registry_.add_fault({.path = "/blobs/", .flip_byte = 10});
    expect_error(ErrorCode::DigestMismatch, "has other bytes", [&] { (void)resolve(); });
}

TEST_F(RegistryFaultTest, AFlippedByteIsADigestMismatch) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.flip_byte = 777'777});
    expect_error(ErrorCode::DigestMismatch, "has other bytes", [&] { (void)fetch(content); });
}

TEST_F(RegistryFaultTest, AFlippedByteBeforeACutIsADigestMismatch) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.times = 1, .close_after = 500'000, .flip_byte = 1000});
    expect_error(ErrorCode::DigestMismatch, "has other bytes", [&] { (void)fetch(content); });
}

TEST_F(RegistryFaultTest, AnotherDeclaredLengthIsRefusedAtOnce) {
    const std::string content = big_blob(kBlobSize);
    registry_.add_fault({.declared_length = kBlobSize - 1});
    expect_error(ErrorCode::DigestMismatch, "must have 1000000 bytes but has 999999", [&] {
        (void)fetch(content);
    });
}

TEST_F(RegistryFaultTest, MoreBytesThanNamedNeverReachTheSink) {
    const std::string content = big_blob(1000);
    registry_.add_fault({.body = content + "more", .no_length = true});
    MemorySink sink(1000);
    expect_error(ErrorCode::DigestMismatch, "must have 1000 bytes but has more", [&] {
        open()->fetch_blob(test::descriptor_of(content), sink, {});
    });
    EXPECT_LE(sink.bytes().size(), 1000U);
}

TEST_F(RegistryFaultTest, AHugeManifestIsStoppedWhileItStreams) {
    registry_.add_fault({.status = 200,
                         .content_type = std::string(kOciManifest),
                         .body = std::string(kMaxDocumentBytes + 1, ' ')});
    expect_error(ErrorCode::BadFormat, "more than the 4194304 bytes", [&] { (void)resolve(); });
}

TEST_F(RegistryFaultTest, ARedirectIsFollowedAndCarriesNoSecrets) {
    const std::string content = big_blob(kBlobSize);
    test::TestRegistry other;
    const std::string digest = other.add_blob(content);
    registry_.add_fault(
        {.status = 307, .location = "http://" + other.host() + "/v2/x/blobs/" + digest});
    EXPECT_EQ(fetch(content), content);
    ASSERT_EQ(other.requests().size(), 1U);
    EXPECT_FALSE(other.requests()[0].headers.contains("authorization"));
}

TEST_F(RegistryFaultTest, ACutBehindARedirectIsContinuedThroughIt) {
    const std::string content = big_blob(kBlobSize);
    test::TestRegistry other;
    const std::string digest = other.add_blob(content);
    other.add_fault({.times = 1, .close_after = 400'000});
    registry_.add_fault(
        {.status = 302, .location = "http://" + other.host() + "/v2/x/blobs/" + digest});
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(requests(), 2U) << "a signed target may have expired: the registry is asked again";
}

TEST_F(RegistryFaultTest, ARedirectLoopIsNamed) {
    const std::string content = big_blob(10);
    registry_.add_fault({.status = 307, .location = "/v2/loop"});
    expect_error(ErrorCode::Network, "a redirect loop", [&] { (void)fetch(content); });
}

TEST_F(RegistryFaultTest, TooManyRedirectsAreNamed) {
    const std::string content = big_blob(10);
    for (int i = 0; i < 10; ++i) {
        registry_.add_fault({.times = 1, .status = 307, .location = "/v2/hop" + std::to_string(i)});
    }
    expect_error(ErrorCode::Network, "more than 5 redirects", [&] { (void)fetch(content); });
    EXPECT_EQ(requests(), 6U);
}

struct BadTarget {
    const char* name;
    std::string location;
    std::string message;
};

void PrintTo(const BadTarget& one, std::ostream* out) {
    *out << one.name;
}

class RegistryRedirectTest : public RegistryFaultTest,
                             public testing::WithParamInterface<BadTarget> {};

TEST_P(RegistryRedirectTest, IsRefused) {
    const std::string content = big_blob(10);
    registry_.add_fault({.status = 307, .location = GetParam().location});
    expect_error(ErrorCode::Network, GetParam().message, [&] { (void)fetch(content); });
}

INSTANTIATE_TEST_SUITE_P(
    Target,
    RegistryRedirectTest,
    testing::Values(
        BadTarget{"PlainHttpElsewhere", "http://mirror.example/x", "plain HTTP to a host"},
        BadTarget{"LocalFile", "file:///etc/passwd", "no http or https URL"},
        BadTarget{"Ftp", "ftp://127.0.0.1/x", "no http or https URL"},
        BadTarget{"WithAUser", "http://a:b@127.0.0.1:1/x", "a user name"},
        BadTarget{"Nowhere", "", "no usable Location"}),
    [](const auto& one) { return one.param.name; });

TEST_F(RegistryFaultTest, AStallIsGivenUpAndContinued) {
    const std::string content = big_blob(kBlobSize);
    options_.low_speed_time = std::chrono::seconds(1);
    registry_.add_fault({.times = 1, .stall_after = 100});
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(requests(), 2U);
}

TEST_F(RegistryFaultTest, ASlowDripIsNoFault) {
    const std::string content = big_blob(2000);
    registry_.add_fault({.drip_bytes = 100});
    EXPECT_EQ(fetch(content), content);
}

TEST_F(RegistryFaultTest, NobodyListening) {
    std::string reference;
    {
        const test::TestRegistry gone;
        reference = gone.reference("a", "b");
    }
    expect_error(ErrorCode::Network, "after 4 attempts", [&] {
        (void)open_source(parse_image_ref(reference), options_)->resolve(test::kAmd64, {});
    });
}

}  // namespace
}  // namespace cfs::net
