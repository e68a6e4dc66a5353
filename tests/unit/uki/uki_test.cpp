// SPDX-License-Identifier: Apache-2.0
#include "uki/uki.hpp"

#include "base/error.hpp"
#include "unit/uki/pe_builder.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace cfs::uki {
namespace {

using namespace cfs::test;

const std::string k256(64, 'a');
const std::string kArg = "composefs=" + k256;

Sections sections(const std::string& cmdline) {
    return {{".osrel", "ID=x\n"}, {".cmdline", cmdline}, {".linux", "kernel"}};
}

Uki parse(const Sections& parts) {
    const Bytes file = build_pe(parts);
    return parse_uki(file);
}

std::string cmdline_of(const std::string& section) {
    return parse(sections(section)).cmdline();
}

std::string uki_error(const Bytes& file) {
    return error_of([&] { (void)parse_uki(file); });
}

TEST(Uki, ReadsASignedOne) {
    const Bytes file = read_fixture("sbsign.efi");
    const Uki uki = parse_uki(file);
    std::string digest;
    for (int i = 0; i < 32; ++i)
        digest += "6c";
    EXPECT_EQ(uki.cmdline(), "quiet composefs=" + digest + " panic=1");
    EXPECT_EQ(uki.osrel.image_id(), "cfsos");
    EXPECT_EQ(uki.osrel.version(), "42.1");
    EXPECT_EQ(uki.osrel.security_version(), 7U);
    EXPECT_EQ(uki.uname, "6.1.0-18-amd64");
    EXPECT_EQ(uki.architecture, "amd64");
    EXPECT_EQ(uki.machine, 0x8664);
    EXPECT_TRUE(uki.has_initrd);
    EXPECT_EQ(uki.size, file.size());
    EXPECT_EQ(uki.authenticode, parse_pe(file).authenticode_hash(HashAlgorithm::Sha256));
    EXPECT_EQ(uki.composefs().version, ErofsFormat::V2);
}

TEST(Uki, NeedsNeitherInitrdNorUnameNorCommandLine) {
    const Uki uki = parse({{".osrel", "ID=x"}, {".linux", "kernel"}});
    EXPECT_FALSE(uki.has_initrd);
    EXPECT_EQ(uki.uname, "");
    EXPECT_EQ(uki.cmdline(), "");
    EXPECT_NE(error_of([&] { (void)uki.composefs(); }).find("names no composefs image"),
              std::string::npos);
}

TEST(UkiCommandLine, ControlCharactersAreSpacesAndEndsAreTrimmed) {
    EXPECT_EQ(cmdline_of(" \ta\nb\x01"
                         "c \r\n"),
              "a b c");
    EXPECT_EQ(cmdline_of("a  b"), "a  b");
    EXPECT_EQ(cmdline_of(" \n"), "");
}

TEST(UkiCommandLine, MayEndWithNuls) {
    EXPECT_EQ(cmdline_of(std::string("quiet\n\0\0", 8)), "quiet");
}

TEST(UkiCommandLine, MayNotHoldANul) {
    EXPECT_EQ(uki_error(build_pe(sections(std::string("a\0b", 3)))),
              "BadFormat: not a sound UKI: .cmdline has a NUL byte inside: readers disagree about "
              "where it ends");
}

TEST(UkiCommandLine, MayBeAsLongAsTheKernelKeeps) {
    EXPECT_EQ(cmdline_of(std::string(2047, 'x') + "\n").size(), 2047U);
    EXPECT_EQ(uki_error(build_pe(sections(std::string(2048, 'x')))),
              "BadFormat: not a sound UKI: .cmdline has 2048 bytes; the kernel keeps 2047");
}

TEST(UkiCommandLine, MustBeUtf8) {
    EXPECT_EQ(cmdline_of("a=\xc3\xa9"), "a=\xc3\xa9");
    EXPECT_EQ(uki_error(build_pe(sections("a=\xff"))),
              "BadFormat: not a sound UKI: .cmdline is not UTF-8");
}

TEST(UkiCommandLine, PaddingOfTheFileIsNotPartOfIt) {
    // Virtual size beyond the raw size: memory behind it is zero.
    Bytes file = build_pe(sections("quiet"));
    store_le<std::uint32_t>(file, kSectionTable + 40 + 8, 0x1000);
    EXPECT_EQ(parse_uki(file).cmdline(), "quiet");
}

TEST(UkiProfiles, EachHasItsCommandLine) {
    Sections parts = sections("base");
    parts.insert(parts.end(),
                 {{".profile", "ID=main"},
                  {".profile", "ID=reset"},
                  {".cmdline", "reset"},
                  {".profile", "ID=third"}});
    const Uki uki = parse(parts);
    EXPECT_EQ(uki.cmdlines, (std::vector<std::string>{"base", "reset", "base"}));
}

TEST(UkiProfiles, TheFirstIsTheDefault) {
    Sections parts = sections("base");
    parts.insert(parts.end(), {{".profile", "ID=main"}, {".cmdline", "main"}, {".osrel", "ID=y"}});
    const Uki uki = parse(parts);
    EXPECT_EQ(uki.cmdline(), "main");
    EXPECT_EQ(uki.osrel.id(), "y");
}

TEST(UkiProfiles, AllBootTheSameImage) {
    Sections parts = sections(kArg);
    parts.insert(parts.end(),
                 {{".profile", "a"}, {".profile", "b"}, {".cmdline", "factory-reset " + kArg}});
    EXPECT_EQ(parse(parts).composefs().digest.hex(), k256);
}

TEST(UkiProfiles, AnotherImageIsRefused) {
    Sections parts = sections(kArg);
    const std::string other = "composefs=" + std::string(64, 'b');
    parts.insert(parts.end(), {{".profile", "a"}, {".profile", "b"}, {".cmdline", other}});
    const Uki uki = parse(parts);
    EXPECT_EQ(error_of([&] { (void)uki.composefs(); }),
              "BadFormat: not a sound UKI: profile 1 boots '" + other + "', the default profile '" +
                  kArg + "'");
}

TEST(UkiProfiles, OptionalVerityInOneIsRefused) {
    Sections parts = sections(kArg);
    parts.insert(parts.end(),
                 {{".profile", "a"}, {".profile", "b"}, {".cmdline", "composefs=?" + k256}});
    const Uki uki = parse(parts);
    EXPECT_NE(error_of([&] { (void)uki.composefs(); }).find("profile 1 boots"), std::string::npos);
}

TEST(UkiProfiles, NoImageInOneIsRefused) {
    Sections parts = sections(kArg);
    parts.insert(parts.end(), {{".profile", "a"}, {".profile", "b"}, {".cmdline", "emergency"}});
    const Uki uki = parse(parts);
    EXPECT_EQ(error_of([&] {
                  (void)uki.composefs();
              }).rfind("BadFormat: UKI profile 1: the kernel command line names no composefs", 0),
              0U);
}

TEST(UkiProfiles, MayRepeatHardwareSections) {
    Sections parts = sections(kArg);
    parts.insert(parts.end(),
                 {{".dtbauto", "a"}, {".dtbauto", "b"}, {".efifw", "c"}, {".efifw", "d"}});
    EXPECT_EQ(parse(parts).cmdlines.size(), 1U);
}

TEST(UkiProfiles, ThereIsALimit) {
    Sections parts = sections(kArg);
    parts.insert(parts.end(), 256, {".profile", "x"});
    EXPECT_EQ(parse(parts).cmdlines.size(), 256U);
    parts.emplace_back(".profile", "x");
    EXPECT_EQ(uki_error(build_pe(parts)), "BadFormat: not a sound UKI: more than 256 profiles");
}

struct BadUki {
    const char* name;
    Sections sections;
    const char* says;
};

std::ostream& operator<<(std::ostream& out, const BadUki& row) {
    return out << row.name;
}

class UnsoundUki : public testing::TestWithParam<BadUki> {};

TEST_P(UnsoundUki, IsRefused) {
    EXPECT_EQ(uki_error(build_pe(GetParam().sections)),
              std::string("BadFormat: ") + GetParam().says);
}

const BadUki kBad[] = {
    {"NoKernel", {{".osrel", "ID=x"}}, "not a sound UKI: it has no kernel (.linux section)"},
    {"EmptyKernel",
     {{".osrel", "ID=x"}, {".linux", ""}},
     "not a sound UKI: it has no kernel (.linux section)"},
    {"NoOsRelease",
     {{".linux", "k"}},
     "not a sound UKI: it has no .osrel section, so boot loaders do not list it"},
    {"NamelessOsRelease",
     {{".linux", "k"}, {".osrel", "VERSION_ID=1"}},
     "not a sound UKI: .osrel has no PRETTY_NAME, IMAGE_ID, NAME or ID, so boot loaders do not "
     "list it"},
    {"BrokenOsRelease",
     {{".linux", "k"}, {".osrel", "ID='"}},
     "os-release: line 1: the quote is not closed"},
    {"TwoCommandLines",
     {{".linux", "k"}, {".osrel", "ID=x"}, {".cmdline", "a"}, {".cmdline", "b"}},
     "not a sound UKI: the section '.cmdline' stands twice in the image"},
    {"TwoCommandLinesByHiddenName",
     {{".linux", "k"},
      {".osrel", "ID=x"},
      {".osrel2", "x"},
      {".uname", "a"},
      {std::string(".uname\0x", 8), "b"}},
     "not a sound UKI: the section '.uname' stands twice in the image"},
    {"TwoKernelsInAProfile",
     {{".linux", "k"}, {".osrel", "ID=x"}, {".profile", ""}, {".linux", "l"}, {".linux", "m"}},
     "not a sound UKI: the section '.linux' stands twice in profile 0"},
    {"OddKernelRelease",
     {{".linux", "k"}, {".osrel", "ID=x"}, {".uname", "../../etc"}},
     "not a sound UKI: .uname is no kernel release: '../../etc'"},
    {"LongKernelRelease",
     {{".linux", "k"}, {".osrel", "ID=x"}, {".uname", std::string(65, '1')}},
     "not a sound UKI: .uname is no kernel release: "
     "'11111111111111111111111111111111111111111111111111111111111111111'"},
};

INSTANTIATE_TEST_SUITE_P(All, UnsoundUki, testing::ValuesIn(kBad), test::case_name);

TEST(Uki, MustBeAnEfiApplication) {
    Bytes file = build_pe(sections(kArg));
    store_le<std::uint16_t>(file, kOptional + 68, 11);
    EXPECT_EQ(uki_error(file),
              "BadFormat: not a sound UKI: PE subsystem 11, an EFI application (10) is expected");
}

TEST(Uki, MustBeForAKnownMachine) {
    Bytes file = build_pe(sections(kArg));
    store_le<std::uint16_t>(file, kPe + 4, 0x0ebc);
    EXPECT_EQ(uki_error(file), "BadFormat: not a sound UKI: EFI machine 0x0ebc (unknown)");
}

TEST(Uki, KnowsOtherMachines) {
    Bytes file = build_pe(sections(kArg));
    store_le<std::uint16_t>(file, kPe + 4, 0xaa64);
    EXPECT_EQ(parse_uki(file).architecture, "arm64");
}

TEST(Uki, MustBeAPeImage) {
    EXPECT_EQ(uki_error(Bytes(100, 'x')),
              "BadFormat: not a sound PE image: it does not start with 'MZ'");
}

}  // namespace
}  // namespace cfs::uki
