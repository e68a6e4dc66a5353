// SPDX-License-Identifier: Apache-2.0
// 401 -> what the challenge asks for -> 200, and where credentials must never go.
#include "registry_fixture.hpp"
#include "support/captured_output.hpp"
#include "support/temp_dir.hpp"

#include <fstream>

namespace cfs::net {
namespace {

using test::expect_error;
using test::Guard;
using test::Request;
using test::TestRegistry;

constexpr const char* kAnn = "YW5uOm9uZXNlY3JldA==";  // ann:onesecret
constexpr const char* kBob = "Ym9iOnR3b3NlY3JldA==";  // bob:twosecret

class TestClock final : public Clock {
 public:
    std::chrono::system_clock::time_point now() const override { return {}; }

    std::chrono::steady_clock::time_point steady() const override {
        return std::chrono::steady_clock::time_point(time);
    }

    std::chrono::seconds time{1000};
};

class RegistryAuthTest : public test::RegistryFixture {
 protected:
    RegistryAuthTest() {
        publish();
        options_.auth_files = {dir_ / "missing.json", dir_ / "auth.json"};
        options_.clock = &clock_;
    }

    void log_in(const std::string& key, const char* auth) {
        std::ofstream(dir_ / "auth.json")
            << R"({"auths":{")" << key << R"(":{"auth":")" << auth << "\"}}}";
    }

    void log_in() { log_in(registry_.host() + "/team", kAnn); }

    /// The failure's message, hint and details and all that is logged hold no secret.
    std::string expect_quiet_error(ErrorCode code, const std::string& part) {
        test::CapturedOutput output;
        std::string all;
        try {
            (void)resolve();
            ADD_FAILURE() << "nothing was thrown";
        } catch (const Error& e) {
            EXPECT_EQ(to_string(e.code()), to_string(code));
            EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
            all = e.what() + e.hint() + e.details();
        }
        all += output.take();
        for (const char* secret : {kAnn, kBob, "onesecret", "twosecret", "tkn-"}) {
            EXPECT_EQ(all.find(secret), std::string::npos) << all;
        }
        return all;
    }

    static std::string sent(const Request& request) {
        const auto found = request.headers.find("authorization");
        return found == request.headers.end() ? "" : found->second;
    }

    std::vector<Request> asked(const std::string& part) const {
        std::vector<Request> out;
        for (const Request& one : registry_.requests()) {
            if (one.target.find(part) != std::string::npos) out.push_back(one);
        }
        return out;
    }

    test::TempDir dir_;
    TestClock clock_;
};

TEST_F(RegistryAuthTest, BasicIsAnsweredFromTheFile) {
    registry_.set_guard({.basic = kAnn, .tokens = false});
    log_in();
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    const auto seen = registry_.requests();
    ASSERT_EQ(seen.size(), 3U) << "manifest, manifest, config";
    EXPECT_EQ(sent(seen[0]), "") << "nobody has asked yet";
    EXPECT_EQ(sent(seen[1]), std::string("Basic ") + kAnn);
    EXPECT_EQ(sent(seen[2]), std::string("Basic ") + kAnn);
}

TEST_F(RegistryAuthTest, ATokenIsFetchedOnceAndKept) {
    registry_.set_guard({.basic = kAnn});
    log_in();
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    const auto seen = registry_.requests();
    ASSERT_EQ(seen.size(), 4U) << "manifest, token, manifest, config";
    EXPECT_EQ(seen[1].target, "/token?service=desk&scope=repository%3ateam%2fos%3apull");
    EXPECT_EQ(sent(seen[1]), std::string("Basic ") + kAnn);
    EXPECT_EQ(sent(seen[2]), "Bearer tkn-1");
    EXPECT_EQ(sent(seen[3]), "Bearer tkn-1");
}

TEST_F(RegistryAuthTest, WithoutCredentialsATokenIsAskedForAnonymously) {
    registry_.set_guard({});
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    EXPECT_EQ(sent(registry_.requests()[1]), "");
}

TEST_F(RegistryAuthTest, ATokenThatRanOutIsNotUsed) {
    registry_.set_guard({.expires_in = 100});
    const auto source = open();
    (void)source->resolve(test::kAmd64, {});
    clock_.time += std::chrono::seconds(89);
    registry_.forget_requests();
    (void)source->resolve(test::kAmd64, {});
    EXPECT_EQ(registry_.requests().size(), 2U) << "still good";
    clock_.time += std::chrono::seconds(2);
    registry_.forget_requests();
    (void)source->resolve(test::kAmd64, {});
    ASSERT_EQ(registry_.requests().size(), 4U);
    EXPECT_EQ(sent(registry_.requests()[0]), "") << "an old token goes nowhere";
    EXPECT_EQ(sent(registry_.requests()[2]), "Bearer tkn-2");
}

TEST_F(RegistryAuthTest, ATokenThatIsRefusedIsReplaced) {
    registry_.set_guard({});
    const auto source = open();
    (void)source->resolve(test::kAmd64, {});
    registry_.door().revoke();
    registry_.forget_requests();
    EXPECT_EQ(as_text(source->resolve(test::kAmd64, {}).manifest_bytes), image_.manifest());
    EXPECT_EQ(registry_.door().issued(), 2U);
}

TEST_F(RegistryAuthTest, ABlobIsContinuedWithANewTokenWhenTheOldOneEnds) {
    const std::string content = big_blob(1'000'000);
    registry_.set_guard({});
    registry_.add_fault({.path = "/blobs/", .skip = 1, .times = 1, .close_after = 400'000});
    registry_.add_fault({.path = "/blobs/",
                         .skip = 1,
                         .times = 1,
                         .status = 401,
                         .headers = "WWW-Authenticate: Bearer realm=\"http://" + registry_.host() +
                                    "/token\",service=\"desk\"\r\n"});
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(registry_.door().issued(), 2U);
    EXPECT_EQ(source_->bytes_fetched(), content.size());
}

TEST_F(RegistryAuthTest, OneSourcesThreadsRenewTheTokenSideBySide) {
    registry_.set_guard({.basic = kAnn});
    log_in();
    const auto source = open();
    std::atomic<int> fine = 0;
    for (int round = 0; round < 10; ++round) {
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                if (as_text(source->resolve(test::kAmd64, {}).manifest_bytes) == image_.manifest())
                    ++fine;
            });
        }
        for (auto& thread : threads)
            thread.join();
        registry_.door().revoke();
    }
    EXPECT_EQ(fine, 40);
}

TEST_F(RegistryAuthTest, WrongCredentialsAreNamedByTheirPlace) {
    for (const bool tokens : {false, true}) {
        registry_.set_guard({.basic = kBob, .tokens = tokens});
        log_in();
        const std::string all =
            expect_quiet_error(ErrorCode::AuthRequired,
                               "with the credentials in '" + (dir_ / "auth.json") + "', entry '" +
                                   registry_.host() + "/team'");
        EXPECT_NE(all.find("net.auth_files"), std::string::npos) << all;
    }
}

TEST_F(RegistryAuthTest, MissingCredentialsNameTheFilesLookedAt) {
    registry_.set_guard({.basic = kBob, .tokens = false});
    log_in("other.example", kAnn);
    (void)expect_quiet_error(ErrorCode::AuthRequired,
                             "without credentials ('" + (dir_ / "missing.json") +
                                 "': not there, '" + (dir_ / "auth.json") + "': no entry)");
    EXPECT_EQ(registry_.requests().size(), 1U);
}

TEST_F(RegistryAuthTest, AHelperIsRefusedAndNotTakenForNoCredentials) {
    registry_.set_guard({.basic = kAnn});
    std::ofstream(dir_ / "auth.json")
        << R"({"credHelpers":{")" << registry_.host() << R"(":"secretservice"}})";
    (void)expect_quiet_error(ErrorCode::Unsupported, "credHelpers");
}

TEST_F(RegistryAuthTest, AnAnswerThatRepeatsTheCredentialsIsNotShown) {
    registry_.set_guard({.basic = kAnn, .tokens = false});
    log_in();
    registry_.add_fault({.skip = 1, .status = 403, .body = std::string("you sent ") + kAnn});
    (void)expect_quiet_error(ErrorCode::AuthRequired, "repeats the credentials");
    registry_.clear_faults();
    registry_.add_fault(
        {.skip = 1, .status = 403, .body = R"({"errors":[{"code":"X","message":"onesecret?"}]})"});
    (void)expect_quiet_error(ErrorCode::AuthRequired, "repeats the credentials");
}

TEST_F(RegistryAuthTest, TheTokenServicesTroublesPassOrAreNamed) {
    registry_.set_guard({.basic = kAnn});
    log_in();
    registry_.add_fault({.path = "/token", .times = 2, .status = 503});
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    registry_.add_fault({.path = "/token", .status = 500});
    const std::string all =
        expect_quiet_error(ErrorCode::Network, "after 4 attempts: asking for a token");
    EXPECT_NE(all.find("fetching again"), std::string::npos) << "the log was looked at too";
    registry_.clear_faults();
    registry_.set_guard({.issued = R"({"token":"tkn-\r\nX: y"})"});
    (void)expect_quiet_error(ErrorCode::BadFormat, "no word that a header can carry");
    registry_.set_guard({.issued = "tkn-garbage"});
    (void)expect_quiet_error(ErrorCode::BadFormat, "not valid JSON");
    registry_.set_guard({.issued = "{}"});
    (void)expect_quiet_error(ErrorCode::BadFormat, "'token': missing");
}

TEST_F(RegistryAuthTest, ATokenServiceMayBeAnotherHost) {
    TestRegistry desk;
    desk.set_guard({.basic = kAnn});
    registry_.set_guard({.realm = "http://" + desk.host() + "/token?a=b#c"});
    log_in();
    EXPECT_EQ(as_text(resolve().manifest_bytes), image_.manifest());
    ASSERT_EQ(desk.requests().size(), 1U);
    EXPECT_TRUE(desk.requests()[0].target.starts_with("/token?a=b&service=desk&scope="));
}

TEST_F(RegistryAuthTest, TokenServicesThatMustNotBeAskedAreNamed) {
    log_in();
    for (const auto& [realm, problem] : std::vector<std::pair<std::string, std::string>>{
             {"http://auth.example/token", "plain HTTP to a host"},
             {"ftp://127.0.0.1/token", "no http or https URL"},
             {"file:///etc/passwd", "no http or https URL"},
             {"https://a:b@127.0.0.1:1/token", "a user name"}}) {
        registry_.set_guard({.basic = kAnn, .realm = realm});
        (void)expect_quiet_error(ErrorCode::Network, problem);
    }
}

TEST_F(RegistryAuthTest, AnUnknownSchemeIsNamed) {
    registry_.set_guard({.basic = kAnn, .challenge = "Negotiate"});
    log_in();
    (void)expect_quiet_error(ErrorCode::AuthRequired, "the scheme 'negotiate' is wanted");
}

TEST_F(RegistryAuthTest, ARedirectElsewhereCarriesNoCredentials) {
    const std::string content = big_blob(100'000);
    TestRegistry other;
    const std::string digest = other.add_blob(content);
    for (const bool tokens : {false, true}) {
        registry_.set_guard({.basic = kAnn, .tokens = tokens});
        log_in();
        registry_.clear_faults();
        // The first request is refused by the guard; a redirect answers the second.
        registry_.add_fault({.path = "/blobs/",
                             .skip = 1,
                             .times = 1,
                             .status = 307,
                             .location = "http://" + other.host() + "/v2/x/blobs/" + digest});
        EXPECT_EQ(fetch(content), content);
        EXPECT_NE(sent(asked("/blobs/").back()), "") << "the registry itself got them";
    }
    ASSERT_EQ(other.requests().size(), 2U);
    for (const Request& one : other.requests())
        EXPECT_EQ(sent(one), "");
}

TEST_F(RegistryAuthTest, AnotherHostsChallengeGetsNoCredentials) {
    const std::string content = big_blob(1000);
    TestRegistry other;
    other.set_guard({.basic = kAnn, .tokens = false});
    registry_.set_guard({.basic = kAnn, .tokens = false});
    log_in();
    registry_.add_fault({.path = "/blobs/",
                         .skip = 1,
                         .status = 307,
                         .location = "http://" + other.host() + "/v2/x/blobs/y"});
    expect_error(ErrorCode::AuthRequired, other.host(), [&] { (void)fetch(content); });
    ASSERT_EQ(other.requests().size(), 1U);
    EXPECT_EQ(sent(other.requests()[0]), "");
}

TEST_F(RegistryAuthTest, ARedirectWithinTheRegistryKeepsThem) {
    const std::string content = big_blob(1000);
    registry_.set_guard({.basic = kAnn, .tokens = false});
    log_in();
    registry_.add_fault({.path = "/v2/team/os/blobs/",
                         .skip = 1,
                         .times = 1,
                         .status = 307,
                         .location = "/v2/moved/blobs/" + test::oci_digest(content)});
    EXPECT_EQ(fetch(content), content);
    EXPECT_EQ(sent(asked("/v2/moved/").at(0)), std::string("Basic ") + kAnn);
}

}  // namespace
}  // namespace cfs::net
