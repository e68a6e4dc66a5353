// SPDX-License-Identifier: Apache-2.0
#include "net/auth_file.hpp"

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace cfs::net {
namespace {

using test::expect_error;
using test::TempDir;

// base64 by coreutils: printf ann:one | base64
constexpr const char* kAnn = "YW5uOm9uZQ==";
constexpr const char* kBob = "Ym9iOnR3bw==";         // bob:two
constexpr const char* kCarol = "Y2Fyb2w6dGg6cmVl";   // carol:th:ree
constexpr const char* kPadded = "ZGF2ZTpmb3VyAAAA";  // dave:four and three zero bytes

std::string entry(const std::string& key, const std::string& auth) {
    return "\"" + key + R"(":{"auth":")" + auth + "\"}";
}

std::string auths(const std::string& entries, const std::string& more = "") {
    return R"({"auths":{)" + entries + "}" + more + "}";
}

/// "user:password", or "" for none.
std::string found(const std::string& document, const std::string& host, const std::string& name) {
    const auto credential = find_in_auth_file(as_bytes(document), "auth.json", host, name);
    return credential ? credential->user + ":" + credential->password : "";
}

TEST(AuthFile, TheLongestKeyWins) {
    // The order in containers-auth.json(5).
    const std::string document =
        auths(entry("reg.example", kAnn) + "," + entry("reg.example/team/os", kBob) + "," +
              entry("reg.example/team", kCarol));
    EXPECT_EQ(found(document, "reg.example", "team/os"), "bob:two");
    EXPECT_EQ(found(document, "reg.example", "team/os/deep"), "bob:two");
    EXPECT_EQ(found(document, "reg.example", "team/osx"), "carol:th:ree");
    EXPECT_EQ(found(document, "reg.example", "teams"), "ann:one");
    EXPECT_EQ(found(document, "reg.example:5000", "team/os"), "");
    EXPECT_EQ(found(document, "other.example", "team/os"), "");
}

TEST(AuthFile, AnEntryWithoutAuthSaysNothing) {
    EXPECT_EQ(found(auths(R"("reg.example/team":{},)" + entry("reg.example", kAnn)),
                    "reg.example",
                    "team/os"),
              "ann:one");
    EXPECT_EQ(found("{}", "reg.example", "team/os"), "");
}

TEST(AuthFile, DockersOldKeysAreUnderstood) {
    EXPECT_EQ(found(auths(entry("https://index.docker.io/v1/", kAnn)), "docker.io", "library/x"),
              "ann:one");
    EXPECT_EQ(found(auths(entry("https://Reg.Example/v2/", kAnn)), "reg.example", "x"), "ann:one");
    EXPECT_EQ(found(auths(entry("reg.example/v1", kAnn)), "reg.example", "other"), "")
        << "without a scheme it is a namespace";
}

TEST(AuthFile, PaddingOfThePasswordIsDropped) {
    EXPECT_EQ(found(auths(entry("r", kPadded)), "r", "x"), "dave:four");
}

TEST(AuthFile, HelpersAreRefusedByName) {
    const std::string helper = R"(,"credHelpers":{"reg.example":"secretservice"})";
    expect_error(ErrorCode::Unsupported, "credential helper (credHelpers)", [&] {
        (void)found(auths(entry("reg.example", kAnn), helper), "reg.example", "x");
    });
    EXPECT_EQ(found(auths(entry("reg.example", kAnn), R"(,"credHelpers":{"other":"x"})"),
                    "reg.example",
                    "x"),
              "ann:one");
    expect_error(ErrorCode::Unsupported, "in credsStore 'desktop'", [&] {
        (void)found(auths(R"("r":{})", R"(,"credsStore":"desktop")"), "r", "x");
    });
    expect_error(ErrorCode::Unsupported, "of 'r' as an identity token", [&] {
        (void)found(auths(R"("r":{"auth":"x","identitytoken":"y"})"), "r", "x");
    });
}

TEST(AuthFile, OddFilesAreNamedAndNeverQuoted) {
    const std::string secret = "c2VjcmV0LXBhc3N3b3Jk";
    for (const std::string& document : {secret,
                                        "<" + secret,
                                        "\"" + secret + "\"",
                                        R"({"auths":{"r":{"auth":"!)" + secret + "\"}}}",
                                        R"({"auths":{"r":{"auth":")" + secret + "\"}}}",
                                        R"({"auths":{"r":")" + secret + "\"}}",
                                        R"({"auths":[")" + secret + "\"]}",
                                        R"({"auths":{"r":{"auth":["")" + secret + "\"]}}}"}) {
        try {
            (void)found(document, "r", "x");
            FAIL() << document;
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::BadFormat) << e.what();
            EXPECT_NE(std::string(e.what()).find("'auth.json'"), std::string::npos) << e.what();
            EXPECT_EQ((e.what() + e.hint() + e.details()).find("c2VjcmV0"), std::string::npos)
                << e.what();
        }
    }
}

TEST(AuthFile, ControlCharactersNeverReachAHeader) {
    // ann:on\r\ne
    expect_error(ErrorCode::BadFormat, "control characters", [] {
        (void)found(auths(entry("r", "YW5uOm9uDQpl")), "r", "x");
    });
}

TEST(AuthFiles, TheFirstWithACredentialCounts) {
    const TempDir dir;
    const auto write = [&](const std::string& name, const std::string& text) {
        std::ofstream(dir / name) << text;
        return dir / name;
    };
    const std::vector<std::string> files = {dir / "missing",
                                            write("a", auths(entry("other", kBob))),
                                            write("b", auths(entry("r", kAnn))),
                                            write("c", auths(entry("r/x", kBob)))};
    std::vector<std::string> tried;
    const auto credential = find_credential(files, "r", "x", &tried);
    ASSERT_TRUE(credential);
    EXPECT_EQ(credential->user, "ann");
    EXPECT_EQ(credential->origin, "'" + files[2] + "', entry 'r'");
    ASSERT_EQ(tried.size(), 3U);
    EXPECT_EQ(tried[0], "'" + files[0] + "': not there");
    EXPECT_EQ(tried[1], "'" + files[1] + "': no entry");
    EXPECT_FALSE(find_credential(files, "nobody", "x", nullptr));
}

TEST(AuthFiles, SystemdsCredential) {
    ASSERT_EQ(::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x.service", 1), 0);
    EXPECT_EQ(systemd_auth_file(), "/run/credentials/x.service/cfsupdated.auth.json");
    ASSERT_EQ(::unsetenv("CREDENTIALS_DIRECTORY"), 0);
    EXPECT_EQ(systemd_auth_file(), "");
}

}  // namespace
}  // namespace cfs::net
