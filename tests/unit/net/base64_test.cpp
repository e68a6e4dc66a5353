// SPDX-License-Identifier: Apache-2.0
#include "net/base64.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

TEST(Base64, IsThatOfTheRfc) {
    // RFC 4648 section 10.
    const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, coded] : rows) {
        EXPECT_EQ(to_base64(plain), coded);
        EXPECT_EQ(from_base64(coded), plain);
    }
    EXPECT_EQ(to_base64("\xff\xfe\xfb"), "//77");
}

TEST(Base64, HasOneSpelling) {
    for (const char* bad :
         {"Zg", "Zg=", "Zh==", "Zg==\n", " Zg==", "Z", "=", "====", "Zm9v=", "Zm9v====", "Zm-v"}) {
        EXPECT_FALSE(from_base64(bad)) << bad;
    }
}

}  // namespace
}  // namespace cfs::net
