// SPDX-License-Identifier: Apache-2.0
#include "boot/entry_name.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>

namespace cfs::boot {
namespace {

struct Reading {
    const char* name;
    const char* file;
    const char* stem;
    std::optional<Counter> counter;
};

std::ostream& operator<<(std::ostream& out, const Reading& reading) {
    return out << reading.name;
}

class EntryFile : public ::testing::TestWithParam<Reading> {};

TEST_P(EntryFile, IsTakenApart) {
    const auto name = parse_entry_name(GetParam().file);
    ASSERT_TRUE(name);
    EXPECT_EQ(name->stem, GetParam().stem);
    EXPECT_EQ(name->counter, GetParam().counter);
}

INSTANTIATE_TEST_SUITE_P(
    Names,
    EntryFile,
    ::testing::Values(Reading{"Proven", "cfsos_2.efi", "cfsos_2", std::nullopt},
                      Reading{"Fresh", "cfsos_2+3-0.efi", "cfsos_2", Counter{3, 0}},
                      Reading{"TriedOnce", "cfsos_2+2-1.efi", "cfsos_2", Counter{2, 1}},
                      Reading{"Bad", "cfsos_2+0-3.efi", "cfsos_2", Counter{0, 3}},
                      Reading{"DoneMayBeMissing", "cfsos_2+3.efi", "cfsos_2", Counter{3, 0}},
                      Reading{"PaddedCounter", "cfsos_2+03-01.efi", "cfsos_2", Counter{3, 1}},
                      Reading{"UpperCase", "CFSOS_2+3-0.EFI", "CFSOS_2", Counter{3, 0}},
                      Reading{"NoNumber", "a+b.efi", "a+b", std::nullopt},
                      Reading{"NoLeft", "a+-1.efi", "a+-1", std::nullopt},
                      Reading{"NoDone", "a+1-.efi", "a+1-", std::nullopt},
                      Reading{"TwoDashes", "a+1-2-3.efi", "a+1-2-3", std::nullopt},
                      Reading{"SignedNumber", "a+-1-1.efi", "a+-1-1", std::nullopt},
                      Reading{"SpaceInNumber", "a+ 1-1.efi", "a+ 1-1", std::nullopt},
                      Reading{"HugeNumber", "a+99999999999-1.efi", "a+99999999999-1", std::nullopt},
                      Reading{"LastPlusCounts", "a+1-1+2-0.efi", "a+1-1", Counter{2, 0}},
                      Reading{"OnlyACounter", "+3-0.efi", "+3-0", std::nullopt},
                      Reading{"CounterWithinTheStem", "a+1-1.b.efi", "a+1-1.b", std::nullopt}),
    ::testing::PrintToStringParamName());

TEST(EntryName, OtherFilesAreNoEntries) {
    for (const char* file : {"", "efi", ".efi", "a.conf", "a.efi.extra.d", "a.efi ", "a"}) {
        EXPECT_FALSE(parse_entry_name(file)) << file;
    }
}

TEST(EntryName, FormatsWithoutPadding) {
    EXPECT_EQ(format_entry_name({"a_1", Counter{2, 0}}), "a_1+2-0.efi");
    EXPECT_EQ(format_entry_name({"a_1", std::nullopt}), "a_1.efi");
}

Digest image() {
    return Digest::from_hex("0123abcd" + std::string(56, '0')).value();
}

TEST(EntryName, StemNamesTheDeployment) {
    EXPECT_EQ(make_stem("cfsos", "2.1", 17, image()), "cfsos_2.1-000017-0123abcd");
}

TEST(EntryName, StemHasOnlyCharactersThatFatAndLoadersTake) {
    EXPECT_EQ(make_stem("My OS", "2+b~1/..\\:\xC3\xA4", 1, image()),
              "my_os_2_b_1_..____-000001-0123abcd");
}

TEST(EntryName, StemOfNothingIsStillAName) {
    EXPECT_EQ(make_stem("", "", 0, image()), "linux_0-000000-0123abcd");
}

TEST(EntryName, StemNeverBeginsAsLoadersSkip) {
    EXPECT_FALSE(is_skipped_name(make_stem(".hidden", "1", 1, image())));
    EXPECT_FALSE(is_skipped_name(make_stem("AUTO-linux", "1", 1, image())));
}

TEST(EntryName, LongWordsAreCutSoThatEveryNameFits) {
    const std::string longest(5000, 'x');
    const EntryName name{make_stem(longest, longest, ~std::uint64_t{0}, image()),
                         Counter{~0U, ~0U}};
    EXPECT_TRUE(is_safe_entry_file(format_entry_name(name)));
    EXPECT_EQ(parse_entry_name(format_entry_name(name)), name);
    EXPECT_EQ(parse_stem(name.stem)->serial, ~std::uint64_t{0});
}

TEST(EntryName, StemTellsItsSerialAndImage) {
    const auto tail = parse_stem(make_stem("a-b_c", "1-2_3", 42, image()));
    ASSERT_TRUE(tail);
    EXPECT_EQ(tail->serial, 42U);
    EXPECT_EQ(tail->image_prefix, "0123abcd");
}

TEST(EntryName, OtherToolsStemsAreNotOurs) {
    for (const char* stem : {"",
                             "-",
                             "--",
                             "fedora-6.9",
                             "cfsos_2-17-0123abcd",
                             "cfsos_2-000017-0123abc",
                             "cfsos_2-000017-0123abcg",
                             "cfsos_2-00001x-0123abcd",
                             "cfsos-000017-0123abcd",
                             "Cfsos_2-000017-0123abcd",
                             "a_1-99999999999999999999-0123abcd"}) {
        EXPECT_FALSE(parse_stem(stem)) << stem;
    }
}

TEST(EntryName, CaseDoesNotDistinguish) {
    EXPECT_TRUE(same_name("CFSOS_2.EFI", "cfsos_2.efi"));
    EXPECT_FALSE(same_name("cfsos_2.efi", "cfsos_2.ef"));
}

TEST(EntryName, UnsafeNamesAreRefused) {
    EXPECT_TRUE(is_safe_entry_file("a_1.b-c+2-0.efi"));
    for (const char* file : {"A.efi",
                             "a b.efi",
                             "a/b.efi",
                             "../a.efi",
                             ".a.efi",
                             "auto-a.efi",
                             "a.EFI",
                             "a:b.efi",
                             "a.conf",
                             ".efi"}) {
        EXPECT_FALSE(is_safe_entry_file(file)) << file;
    }
    EXPECT_FALSE(is_safe_entry_file(std::string(252, 'a') + ".efi"));
}

}  // namespace
}  // namespace cfs::boot
