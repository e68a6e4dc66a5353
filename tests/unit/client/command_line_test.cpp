// SPDX-License-Identifier: Apache-2.0
#include "client/report/command_line.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

using Words = std::vector<std::string>;

TEST(ShownArguments, HaveNoValueThatIsNotOurs) {
    EXPECT_EQ(shown_arguments("composefs=ab root=/dev/vda2 x.psk=secret\tquiet\n"),
              (Words{"composefs=ab", "root=/dev/vda2", "x.psk=...", "quiet"}));
    EXPECT_EQ(shown_arguments(""), Words{});
    EXPECT_EQ(shown_arguments(" = =secret "), (Words{"...", "..."}));
}

// The kernel takes what stands in double quotes as one, systemd what stands in single ones too.
TEST(ShownArguments, AreWholeWhereTheyAreQuoted) {
    EXPECT_EQ(shown_arguments("x.pass=\"correct horse battery\" ro"), (Words{"x.pass=...", "ro"}));
    EXPECT_EQ(shown_arguments("\"x.pass=correct horse battery\" ro"), (Words{"x.pass=...", "ro"}));
    EXPECT_EQ(shown_arguments("x.pass='correct horse battery' ro"), (Words{"x.pass=...", "ro"}));
    EXPECT_EQ(shown_arguments("x.pass=\"correct horse"), Words{"x.pass=..."});
    EXPECT_EQ(shown_arguments("x.pass=it's ro"), (Words{"x.pass=...", "ro"}));
    EXPECT_EQ(shown_arguments("root=\"ab x.psk=secret\" ro"), (Words{"root=...", "ro"}));
    EXPECT_EQ(shown_arguments("composefs=ab\"x.psk=secret ro"), Words{"composefs=..."});
}

TEST(ShownArguments, AreNamesOrNothing) {
    EXPECT_EQ(
        shown_arguments("ro rd.shell no-kvm_x hunter2! user:pw 3dsf4 https://me:pw@host/?a=b"),
        (Words{"ro", "rd.shell", "no-kvm_x", "...", "...", "...", "..."}));
    EXPECT_EQ(shown_arguments("a" + std::string(60, 'b')), Words{"..."});
    EXPECT_EQ(shown_arguments("c2VjcmU= c2VjcmV0cw=="), (Words{"...", "..."}));
    // Those of init.
    EXPECT_EQ(shown_arguments("ro -- token secret"), (Words{"ro", "--", "..."}));
}

TEST(HiddenArguments, AreThoseWithAValueThatIsNotShown) {
    EXPECT_EQ(hidden_arguments("composefs=ab ro x.psk=secret y=\"a b\" -- z=1\n"),
              (Words{"x.psk=secret", "y=\"a b\"", "z=1"}));
}

TEST(RecordedCommandLine, IsHiddenAtAnyDepthAndTheRestStays) {
    EXPECT_EQ(without_arguments(R"({"a":1,"cmdline":"composefs=ab x.psk=\"se cret\" quiet"})"),
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
