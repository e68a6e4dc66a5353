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
        Case{"to https://me:pa'ss@host/x now", "to https://REDACTED@host/x now"},
        Case{"to https://me:pa\"s<s@host/x now", "to https://REDACTED@host/x now"},
        Case{"to https://me:p`a>s|s@host/x|y", "to https://REDACTED@host/x|y"},
        Case{"proxy = \"http://me:pa\\\"ss@proxy\"", "proxy = \"http://REDACTED@proxy\""},
        Case{"http://me:pa?ss@proxy:3128/ failed", "http://REDACTED@proxy:3128/ failed"},
        Case{"http://me:pa?ss@proxy/x?sig=abc'", "http://REDACTED@proxy/x?REDACTED'"},
        // Whose the "@" is cannot be told: all of it.
        Case{"'https://cdn/x?mail=a@b&sig=abc' failed", "'https://REDACTED' failed"},
        Case{"https://cdn:80?sig=a@bc failed", "https://REDACTED failed"},
        Case{"http://me:p/a?ss@proxy failed", "http://REDACTED failed"},
        Case{"DB_PASS=hunter2 x", "DB_PASS=REDACTED x"},
        Case{"REGISTRY_PWD=hunter2 x", "REGISTRY_PWD=REDACTED x"},
        Case{"proxy_auth=hunter2 x", "proxy_auth=REDACTED x"},
        Case{"wifi.psk=hunter2 psk=hunter2", "wifi.psk=REDACTED psk=REDACTED"},
        Case{"{\"db-pw\": \"hunter2\"}", "{\"db-pw\": \"REDACTED\"}"},
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
                    "bypass=5 compass=north OLDPWDS=3 oauth.scope=all",
                    "proxy = \"http://proxy:3128\" # ask me@host",
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

// Settings and records are quoted, and a record may quote what was quoted.
TEST(Redactor, TakesWhatItLearntOutWhereItIsEscaped) {
    Redactor redactor;
    redactor.learn("pa\"s\\s");
    redactor.learn("p\xc3\xa4ss\twort");
    EXPECT_EQ(redactor.redacted(R"(a pa"s\s b pa\"s\\s c pa\\\"s\\\\s d)"),
              "a REDACTED b REDACTED c REDACTED d");
    EXPECT_EQ(redactor.redacted("a p\xc3\xa4ss\\twort b p\xc3\xa4ss\\u0009wort c "
                                "p\\u00c3\\u00a4ss\\u0009wort d"),
              "a REDACTED b REDACTED c REDACTED d");
}

TEST(Redactor, LearnsTheProxiesOfAUnit) {
    Redactor redactor;
    redactor.learn_environment(
        "Environment=LANG=C HTTPS_PROXY=http://me:one\"1'@proxy "
        "all_proxy=me:two2@proxy \"no_url=x http://me:thr\\\"33@proxy\" "
        "SITE_TOKEN=four4\n");
    EXPECT_EQ(redactor.redacted("a one\"1' b two2 c thr\"33 d four4 LANG=C"),
              "a REDACTED b REDACTED c REDACTED d REDACTED LANG=C");
    redactor.learn_environment("");
    redactor.learn_environment("Environment=\n");
}

// Strings of JSON are taken as what they say, not as they are written.
TEST(Redactor, KeepsJsonWhatItIs) {
    Redactor redactor;
    redactor.learn("le\"arnt");
    EXPECT_EQ(redactor.redacted_json(R"({"a":"https://h/x","b":"me@h","c":["x le\"arnt"],"d":1})"
                                     "\n"),
              R"({"a":"https://h/x","b":"me@h","c":["x REDACTED"],"d":1})"
              "\n");
    EXPECT_EQ(redactor.redacted_json(R"({"u":"http://m:p\"w@h/?q=1","v":1,"le\"arnt":null})"),
              R"({"u":"http://REDACTED@h/?REDACTED","v":1,"REDACTED":null})");
    EXPECT_EQ(redactor.redacted_json(R"({"auth":{"x":"y"},"db_pass":12345,"token":null})"),
              R"({"auth":"REDACTED","db_pass":"REDACTED","token":null})");
    EXPECT_EQ(redactor.redacted_json(R"({"password":"cut)"),
              redactor.redacted(R"({"password":"cut)"));
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
    text.clear();
    for (int i = 0; i < 100'000; ++i)
        text += i % 2 == 0 ? "a://b" : "c@sha256:";
    EXPECT_EQ(redacted(text), text);
    EXPECT_EQ(redacted(text + "@host"), "a://REDACTED@host");
    EXPECT_EQ(redacted(std::string(1'000'000, '"')).size(), 1'000'000U);
}

}  // namespace
}  // namespace cfs::client
