// SPDX-License-Identifier: Apache-2.0
#include "net/challenge.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

using Challenges = std::vector<Challenge>;

TEST(Challenge, OfATokenService) {
    // The form in the distribution project's token documentation.
    EXPECT_EQ(parse_challenges(R"(Bearer realm="https://auth.example/token",service="registry",)"
                               R"(scope="repository:team/os:pull,push")"),
              (Challenges{{"bearer",
                           {{"realm", "https://auth.example/token"},
                            {"service", "registry"},
                            {"scope", "repository:team/os:pull,push"}}}}));
}

TEST(Challenge, SeveralInOneField) {
    // RFC 9110 11.6.1, its example.
    EXPECT_EQ(parse_challenges(R"(Basic realm="simple", Newauth realm="apps", type=1, )"
                               R"(title="Login to \"apps\"")"),
              (Challenges{{"basic", {{"realm", "simple"}}},
                          {"newauth",
                           {{"realm", "apps"}, {"type", "1"}, {"title", "Login to \"apps\""}}}}));
    EXPECT_EQ(parse_challenges("Negotiate abc/def==, Basic realm = x"),
              (Challenges{{"negotiate", {}}, {"basic", {{"realm", "x"}}}}));
    EXPECT_EQ(parse_challenges("Negotiate, BEARER"),
              (Challenges{{"negotiate", {}}, {"bearer", {}}}));
}

TEST(Challenge, TheFirstOfARepeatedNameCounts) {
    EXPECT_EQ(parse_challenges("Bearer realm=a, REALM=b"),
              (Challenges{{"bearer", {{"realm", "a"}}}}));
}

TEST(Challenge, OddTextEndsTheList) {
    EXPECT_EQ(parse_challenges(""), Challenges{});
    EXPECT_EQ(parse_challenges(",, ,"), Challenges{});
    EXPECT_EQ(parse_challenges("realm=\"x\""), Challenges{});
    EXPECT_EQ(parse_challenges("Bearer realm=\"open"), (Challenges{{"bearer", {}}}));
    EXPECT_EQ(parse_challenges("Bearer realm=\"open\\"), (Challenges{{"bearer", {}}}));
    EXPECT_EQ(parse_challenges("Bearer a=b, realm=, Basic x=y"),
              (Challenges{{"bearer", {{"a", "b"}}}}));
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "Scheme" + std::to_string(i) + ", ";
    EXPECT_EQ(parse_challenges(many).size(), 8U);
}

}  // namespace
}  // namespace cfs::net
