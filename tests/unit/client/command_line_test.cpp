// SPDX-License-Identifier: Apache-2.0
#include "client/report/command_line.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

TEST(RecordedCommandLine, IsHiddenAtAnyDepthAndTheRestStays) {
    EXPECT_EQ(without_arguments(R"({"a":1,"cmdline":"composefs=ab x.psk=se\"cret quiet"})"),
              R"({"a":1,"cmdline":"composefs=ab x.psk=... quiet"})"
              "\n");
    EXPECT_EQ(without_arguments(R"({"l":[{"cmdl\u0069ne":"x=secret"}],"cmdline":["x=secret"]})"),
              R"({"l":[{"cmdline":"x=..."}],"cmdline":"..."})"
              "\n");
}

TEST(RecordedCommandLine, OtherRecordsAreShownAsTheyAre) {
    for (const char* const text : {"{ \"a\" : 1.50 }\n", "", "42\n", "{\"cut", "[\"cmdline x=y\"]"})
        EXPECT_EQ(without_arguments(text), text);
}

TEST(RecordedCommandLine, IsNotShownWhereTheRecordIsDamaged) {
    EXPECT_EQ(without_arguments(R"({"cmdline":"x.psk=sec)"), "(damaged: not shown)\n");
    EXPECT_EQ(without_arguments("{\"cmdline\":\"x.psk=sec\n\"}"), "(damaged: not shown)\n");
}

}  // namespace
}  // namespace cfs::client
