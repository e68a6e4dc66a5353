// SPDX-License-Identifier: Apache-2.0
#include "client/report/redact.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

std::string redacted(const std::string& text) {
    return Redactor().redacted(text);
}

struct Case {
    const char* text;
    const char* expected;
};

class ByForm : public testing::TestWithParam<Case> {};

TEST_P(ByForm, IsTakenOut) {
    EXPECT_EQ(redacted(GetParam().text), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Redactor,
    ByForm,
    testing::Values(
        Case{"proxy = \"http://me:hunter2@proxy:3128\"", "proxy = \"http://REDACTED@proxy:3128\""},
        Case{"http://me:p@ss/word@proxy/x", "http://REDACTED@proxy/x"},
        Case{"docker://me:pw@host:5000/os@sha256:ab", "docker://REDACTED@host:5000/os@sha256:ab"},
        Case{"me:hunter2@proxy:3128", "REDACTED@proxy:3128"},
        Case{"GET https://cdn/x?X-Sig=abc&y=1 failed", "GET https://cdn/x?REDACTED failed"},
        Case{"Authorization: Basic aGk6aG8=", "Authorization: REDACTED"},
        Case{"sent 'Bearer abc.def' to it", "sent 'Bearer REDACTED' to it"},
        Case{"password=hunter2 user=me", "password=REDACTED user=me"},
        Case{"password = hunter2 and more", "password = REDACTED"},
        Case{R"({"auths":{"r":{"auth":"aGk=","x":1}}})",
             R"({"auths":{"r":{"auth":"REDACTED","x":1}}})"},
        Case{R"({"message":"token=abc","hint":"x"})", R"({"message":"token=REDACTED","hint":"x"})"},
        Case{R"({"m":"{\"identitytoken\": \"abc\"}"})",
             R"({"m":"{\"identitytoken\": \"REDACTED\"}"})"},
        Case{R"("password": "with \" quote")", R"("password": "REDACTED")"},
        Case{"jwt eyJhbGciOi.eyJzdWIi.c2ln here", "jwt REDACTED here"}));

class Harmless : public testing::TestWithParam<const char*> {};

TEST_P(Harmless, Stays) {
    EXPECT_EQ(redacted(GetParam()), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Redactor,
    Harmless,
    testing::Values("docker://host:5000/os:stable@sha256:0123",
                    "host:5000/os@sha512:0123",
                    "getty@tty1.service loaded active",
                    "net.auth_files = [\"/etc/cfsupdated/auth.json\"]",
                    "36 35 98:0 / /srv rw - cifs me@host:/share rw",
                    "12:34:56 cfsupdated: job 5 failed: no route to it",
                    "[trust]\nmode = \"sealed\"\n\nlines\n",
                    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
                    ""));

TEST(Redactor, TakesPrivateKeysOut) {
    const std::string text =
        "before\n-----BEGIN EC PRIVATE KEY-----\nMIIBkey\nmore\n-----END EC PRIVATE KEY-----\n"
        "after\n";
    EXPECT_EQ(redacted(text), "before\nREDACTED\nafter\n");
    // Cut off in the middle.
    EXPECT_EQ(redacted("a\n-----BEGIN PRIVATE KEY-----\nMIIB\nmore"), "a\nREDACTED");
}

TEST(Redactor, TakesWhatItLearntOutWhereverItStands) {
    Redactor redactor;
    redactor.learn_url("http://me:s3cr%40t@proxy");
    redactor.learn_auth_file(R"({"auths":{"r":{"auth":"bWU6YmFzZTY0cHc="}},"x":["opaque-thing"]})");
    EXPECT_EQ(redactor.redacted("a s3cr%40t b s3cr@t c base64pw d bWU6YmFzZTY0cHc= e opaque-thing"),
              "a REDACTED b REDACTED c REDACTED d REDACTED e REDACTED");
    redactor.learn_auth_file("not JSON");
}

TEST(Redactor, DoesNotLearnWhatIsEverywhere) {
    Redactor redactor;
    redactor.learn("a");
    redactor.learn("");
    EXPECT_EQ(redactor.redacted("banana"), "banana");
}

TEST(Redactor, TakesLongLinesInItsStride) {
    std::string text;
    for (int i = 0; i < 50'000; ++i)
        text += "a@b:";
    EXPECT_LT(redacted(text).size(), text.size());
    EXPECT_EQ(redacted(std::string(1'000'000, '"')).size(), 1'000'000U);
}

}  // namespace
}  // namespace cfs::client
