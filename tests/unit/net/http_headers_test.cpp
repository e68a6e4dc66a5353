// SPDX-License-Identifier: Apache-2.0
#include "net/http_headers.hpp"

#include <gtest/gtest.h>

namespace cfs::net {
namespace {

TEST(ContentRange, IsReadStrictly) {
    EXPECT_EQ(parse_content_range("bytes 5-9/10"), (ContentRange{5, 9, 10}));
    EXPECT_EQ(parse_content_range("bytes 0-0/*"), (ContentRange{0, 0, std::nullopt}));
    for (const char* bad : {"",
                            "bytes */10",
                            "bytes 9-5/10",
                            "bytes 5-9/9",
                            "bytes 5-9",
                            "5-9/10",
                            "bytes -9/10",
                            "bytes 5-9/x",
                            "bytes 5-99999999999999999999/*",
                            "bytes 5/9-10"}) {
        EXPECT_FALSE(parse_content_range(bad)) << bad;
    }
}

TEST(HeaderCollector, KeepsTheFinalHeadOnly) {
    HeaderCollector head;
    EXPECT_FALSE(head.add("HTTP/1.1 103 Early Hints\r\n"));
    EXPECT_FALSE(head.add("Content-Type: text/css\r\n"));
    EXPECT_FALSE(head.add("\r\n"));
    EXPECT_FALSE(head.add("HTTP/2 206\r\n"));
    EXPECT_FALSE(head.add("CONTENT-TYPE:  Text/HTML; charset=utf-8\r\n"));
    EXPECT_FALSE(head.add("content-length: 12\r\n"));
    EXPECT_FALSE(head.add("nonsense\r\n"));
    EXPECT_TRUE(head.add("\r\n"));
    EXPECT_EQ(head.response().status, 206);
    EXPECT_EQ(head.response().content_type, "text/html");
    EXPECT_EQ(head.response().content_length, 12U);
}

TEST(HeaderCollector, AnUnreadableLengthIsNone) {
    HeaderCollector head;
    (void)head.add("HTTP/1.1 200 OK\r\n");
    (void)head.add("Content-Length: -1\r\n");
    EXPECT_FALSE(head.response().content_length);
}

}  // namespace
}  // namespace cfs::net
