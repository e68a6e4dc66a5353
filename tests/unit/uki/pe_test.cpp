// SPDX-License-Identifier: Apache-2.0
#include "uki/pe.hpp"

#include "base/error.hpp"
#include "uki/machine.hpp"
#include "unit/uki/pe_builder.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace cfs::uki {
namespace {

using namespace cfs::test;

constexpr std::size_t kCertificates = 0x1200;  // in sbsign.efi
constexpr std::size_t kMemory = kOptional + 56;
constexpr std::size_t kHeaders = kOptional + 60;

void put16(Bytes& pe, std::size_t offset, std::uint16_t value) {
    store_le<std::uint16_t>(pe, offset, value);
}

void put32(Bytes& pe, std::size_t offset, std::uint32_t value) {
    store_le<std::uint32_t>(pe, offset, value);
}

std::uint32_t get32(const Bytes& pe, std::size_t offset) {
    return load_le<std::uint32_t>(pe, offset);
}

/// Offset of a field of the n-th section header.
std::size_t section(std::size_t n, std::size_t field) {
    return kSectionTable + 40 * n + field;
}

constexpr std::size_t kVirtualSize = 8;
constexpr std::size_t kVirtualAddress = 12;
constexpr std::size_t kRawSize = 16;
constexpr std::size_t kRawOffset = 20;

struct Hazard {
    const char* name;
    const char* file;
    void (*bend)(Bytes&);
    const char* says;
};

std::ostream& operator<<(std::ostream& out, const Hazard& hazard) {
    return out << hazard.name;
}

class PeHazard : public testing::TestWithParam<Hazard> {};

TEST_P(PeHazard, IsRefusedByName) {
    Bytes pe = read_fixture(GetParam().file);
    ASSERT_EQ(error_of([&] { (void)parse_pe(pe); }), "no error");
    GetParam().bend(pe);
    const std::string found = error_of([&] { (void)parse_pe(pe); });
    EXPECT_NE(found.find(std::string("BadFormat: not a sound PE image: ")), std::string::npos);
    EXPECT_NE(found.find(GetParam().says), std::string::npos) << found;
}

constexpr const char* kPlain = "unsigned.efi";
constexpr const char* kSigned = "sbsign.efi";

const Hazard kHazards[] = {
    {"EmptyFile", kPlain, [](Bytes& pe) { pe.clear(); }, "ends inside the DOS header"},
    {"CutInDosHeader", kPlain, [](Bytes& pe) { pe.resize(63); }, "ends inside the DOS header"},
    {"NoMz", kPlain, [](Bytes& pe) { pe[0] = 'N'; }, "does not start with 'MZ'"},
    {"PeHeaderBehindEnd",
     kPlain,
     [](Bytes& pe) { put32(pe, 0x3c, 0x7ffffff8); },
     "ends inside the PE header at 0x7ffffff8"},
    {"PeHeaderAtEnd",
     kPlain,
     [](Bytes& pe) { put32(pe, 0x3c, static_cast<std::uint32_t>(pe.size() - 16)); },
     "ends inside the PE header"},
    {"PeHeaderInDosHeader",
     kPlain,
     [](Bytes& pe) { put32(pe, 0x3c, 0x38); },
     "PE header at 0x38 overlaps the DOS header"},
    {"PeHeaderUnaligned",
     kPlain,
     [](Bytes& pe) { put32(pe, 0x3c, 0x44); },
     "PE header at 0x44 is not aligned to 8"},
    {"NoPeSignature", kPlain, [](Bytes& pe) { pe[kPe + 2] = 1; }, "no 'PE' signature at 0x40"},
    {"CutInOptionalHeader",
     kPlain,
     [](Bytes& pe) { pe.resize(kOptional + 1); },
     "ends inside the optional header"},
    {"CutInDataDirectories",
     kPlain,
     [](Bytes& pe) { pe.resize(kDirectories + 8); },
     "ends inside the optional header"},
    {"OddMagic",
     kPlain,
     [](Bytes& pe) { put16(pe, kOptional, 0x107); },
     "optional header magic 0x107"},
    {"Pe32OnA64BitMachine",
     kPlain,
     [](Bytes& pe) { put16(pe, kOptional, 0x10b); },
     "PE32 headers do not fit EFI machine 0x8664 (amd64)"},
    {"Pe64OnA32BitMachine",
     kPlain,
     [](Bytes& pe) { put16(pe, kPe + 4, 0x014c); },
     "PE32+ headers do not fit EFI machine 0x014c (386)"},
    {"OptionalHeaderTooSmall",
     kPlain,
     [](Bytes& pe) { put16(pe, kPe + 20, 232); },
     "the optional header has 232 bytes; 240 are expected"},
    {"OptionalHeaderTooBig",
     kPlain,
     [](Bytes& pe) { put16(pe, kPe + 20, 0xffff); },
     "the optional header has 65535 bytes"},
    {"NoCertificateDirectory",
     kPlain,
     [](Bytes& pe) { put32(pe, kDirectories - 4, 4); },
     "4 data directories; 5 to 16"},
    {"TooManyDirectories",
     kPlain,
     [](Bytes& pe) { put32(pe, kDirectories - 4, 0x20000000); },
     "536870912 data directories; 5 to 16"},
    {"NoSections", kPlain, [](Bytes& pe) { put16(pe, kPe + 6, 0); }, "it has no sections"},
    {"TooManySections",
     kPlain,
     [](Bytes& pe) { put16(pe, kPe + 6, 65535); },
     "65535 sections; at most 1024"},
    {"SectionTableBehindEnd",
     kPlain,
     [](Bytes& pe) { put16(pe, kPe + 6, 1000); },
     "ends inside the section table"},
    {"SectionTableUnhashed",
     kPlain,
     [](Bytes& pe) { put32(pe, kHeaders, 0x200); },
     "SizeOfHeaders 0x200 leaves part of the section table"},
    {"HeadersBehindEnd",
     kPlain,
     [](Bytes& pe) { put32(pe, kHeaders, 0xffffffff); },
     "SizeOfHeaders 0xffffffff is more than the file's size"},
    {"SectionBehindEnd",
     kPlain,
     [](Bytes& pe) { put32(pe, section(5, kRawSize), 0x400); },
     "section '.initrd' reaches to 0x1400, beyond the end of the file at 0x1200"},
    {"SectionWrapsAround",
     kPlain,
     [](Bytes& pe) { put32(pe, section(5, kRawSize), 0xfffff200); },
     "section '.initrd' reaches to 0x100000200, beyond the end"},
    {"SectionInHeaders",
     kPlain,
     [](Bytes& pe) { put32(pe, section(0, kRawOffset), 0x200); },
     "section '.text' at file offset 0x200 lies inside the headers"},
    {"SectionAtZeroWithData",
     kPlain,
     [](Bytes& pe) { put32(pe, section(0, kRawOffset), 0); },
     "section '.text' at file offset 0x0 lies inside the headers"},
    {"SectionsShareBytes",
     kPlain,
     [](Bytes& pe) { put32(pe, section(2, kRawOffset), 0x600); },
     "shares bytes with the one before it"},
    {"SectionsOverlap",
     kPlain,
     [](Bytes& pe) { put32(pe, section(1, kRawSize), 0x400); },
     "section '.cmdline' at 0x800 shares bytes with the one before it, which ends at 0xa00"},
    {"GapBetweenSections",
     kPlain,
     [](Bytes& pe) { put32(pe, section(4, kRawSize), 0x200); },
     "512 bytes before section '.initrd' at 0x1000 belong to no section"},
    {"GapBehindHeaders",
     kPlain,
     [](Bytes& pe) { put32(pe, section(0, kRawSize), 0); },
     "512 bytes before section '.osrel' at 0x600 belong to no section"},
    {"SectionOutsideMemory",
     kPlain,
     [](Bytes& pe) { put32(pe, kMemory, 0x6010); },
     "section '.initrd' reaches to address 0x6096, beyond SizeOfImage 0x6010"},
    {"MemoryWrapsAround",
     kPlain,
     [](Bytes& pe) { put32(pe, section(5, kVirtualSize), 0xffffffff); },
     "section '.initrd' reaches to address 0x100005fff"},
    {"SectionsOverlapInMemory",
     kPlain,
     [](Bytes& pe) { put32(pe, section(5, kVirtualAddress), 0x3010); },
     "section '.initrd' at address 0x3010 overlaps section '.cmdline' in memory"},
    {"SectionOverHeadersInMemory",
     kPlain,
     [](Bytes& pe) { put32(pe, section(5, kVirtualAddress), 0x300); },
     "section '.initrd' at address 0x300 overlaps the headers in memory"},
    {"UnsizedSectionOverlapsInMemory",
     kPlain,
     [](Bytes& pe) {
         put32(pe, section(5, kVirtualSize), 0);
         put32(pe, section(5, kVirtualAddress), 0x3010);
     },
     "section '.initrd' at address 0x3010 overlaps section '.cmdline' in memory"},
    {"CertificatesWithoutSize",
     kSigned,
     [](Bytes& pe) { put32(pe, kCertificateEntry + 4, 0); },
     "the certificate table is half there: offset 0x1200, size 0x0"},
    {"CertificatesWithoutOffset",
     kSigned,
     [](Bytes& pe) { put32(pe, kCertificateEntry, 0); },
     "the certificate table is half there: offset 0x0, size 0x620"},
    {"CertificatesInASection",
     kSigned,
     [](Bytes& pe) { put32(pe, kCertificateEntry, 0x1000); },
     "the certificate table at 0x1000 lies inside the image, which ends at 0x1200"},
    {"CertificatesUnaligned",
     kSigned,
     [](Bytes& pe) {
         put32(pe, kCertificateEntry, 0x1204);
         put32(pe, kCertificateEntry + 4, 0x61c);
     },
     "the certificate table at 0x1204 is not aligned to 8 bytes"},
    {"CertificatesBehindEnd",
     kSigned,
     [](Bytes& pe) { put32(pe, kCertificateEntry + 4, 0xfffffff8); },
     "the certificate table reaches to 0x1000011f8, beyond the end of the file at 0x1820"},
    {"DataBehindCertificates",
     kSigned,
     [](Bytes& pe) { pe.resize(pe.size() + 8); },
     "8 bytes follow the certificate table; firmware refuses such a file"},
    {"CertificatesCutShort",
     kSigned,
     [](Bytes& pe) { pe.resize(pe.size() - 8); },
     "the certificate table reaches to 0x1820, beyond the end of the file at 0x1818"},
    {"EntryOfNoLength",
     kSigned,
     [](Bytes& pe) { put32(pe, kCertificates, 0); },
     "entry at 0x1200 claims 0 bytes; 9 to 1568 are possible"},
    {"EntryWithoutBody",
     kSigned,
     [](Bytes& pe) { put32(pe, kCertificates, 8); },
     "entry at 0x1200 claims 8 bytes"},
    {"EntryTooLong",
     kSigned,
     [](Bytes& pe) { put32(pe, kCertificates, 0xffffffff); },
     "entry at 0x1200 claims 4294967295 bytes"},
    {"EntryTooShort",
     kSigned,
     [](Bytes& pe) {
         put32(pe, kCertificates, 1560);
         put32(pe, kCertificates + 1560, 7);
     },
     "entry at 0x1818 is cut off"},
    {"EntryOfOtherRevision",
     kSigned,
     [](Bytes& pe) { put16(pe, kCertificates + 4, 0x0100); },
     "entry at 0x1200 has revision 0x100; 0x200 is expected"},
    {"EntryPaddedWithData",
     kSigned,
     [](Bytes& pe) { pe.back() = 1; },
     "entry at 0x1200 is padded with other bytes than zeros"},
    {"EntryNotPadded",
     kSigned,
     [](Bytes& pe) {
         put32(pe, kCertificateEntry + 4, get32(pe, kCertificates));
         pe.resize(kCertificates + get32(pe, kCertificates));
     },
     "bytes is not padded to 8 bytes"},
};

INSTANTIATE_TEST_SUITE_P(All, PeHazard, testing::ValuesIn(kHazards), test::case_name);

TEST(Pe, ShowsWhatItsHeadersSay) {
    const Bytes file = read_fixture("unsigned.efi");
    const PeImage pe = parse_pe(file);
    EXPECT_EQ(pe.machine(), 0x8664);
    EXPECT_EQ(pe.subsystem(), kSubsystemEfiApplication);
    EXPECT_EQ(pe.file().size(), file.size());
    ASSERT_EQ(pe.sections().size(), 6U);
    EXPECT_EQ(pe.sections()[4].name, ".linux");
    EXPECT_EQ(pe.sections()[4].raw_offset, 0xc00U);
    EXPECT_EQ(pe.sections()[4].virtual_address, 0x5000U);
    EXPECT_EQ(pe.sections()[4].virtual_size, 560U);
    EXPECT_EQ(pe.sections()[4].raw.size(), 1024U);
    EXPECT_TRUE(pe.signatures().empty());
}

TEST(Pe, ContentEndsAtTheVirtualSize) {
    const Bytes file = read_fixture("unsigned.efi");
    const PeImage pe = parse_pe(file);
    ASSERT_NE(pe.find(".uname"), nullptr);
    EXPECT_EQ(as_text(pe.find(".uname")->content()), "6.1.0-18-amd64\n");
    EXPECT_EQ(pe.find(".dtb"), nullptr);
}

TEST(Pe, ContentEndsAtTheRawSizeWhenMemoryIsBigger) {
    Bytes file = read_fixture("unsigned.efi");
    put32(file, section(3, kVirtualSize), 0x900);
    const PeImage pe = parse_pe(file);
    EXPECT_EQ(pe.find(".uname")->content().size(), 0x200U);
}

TEST(Pe, UninitialisedSectionsHaveNoContent) {
    Bytes file = read_fixture("unsigned.efi");
    put32(file, section(5, kRawSize), 0);
    put32(file, section(5, kRawOffset), 0xffffffff);
    file.resize(0x1000);
    EXPECT_TRUE(parse_pe(file).find(".initrd")->content().empty());
}

TEST(Pe, AnEightByteNameHasNoTerminator) {
    const Bytes file = build_pe({{".profile", "x"}, {"/12", "y"}, {std::string(".a\0b", 4), "z"}});
    const PeImage pe = parse_pe(file);
    EXPECT_EQ(pe.sections()[0].name, ".profile");
    EXPECT_EQ(pe.sections()[1].name, "/12");
    EXPECT_EQ(pe.sections()[2].name, ".a");
}

TEST(Pe, FindsTheFirstOfTwoSections) {
    const Bytes file = build_pe({{".osrel", "one"}, {".osrel", "two"}});
    EXPECT_EQ(as_text(parse_pe(file).find(".osrel")->content()), "one");
}

TEST(Pe, SectionsMayStandInAnyOrderOfTheTable) {
    Bytes file = read_fixture("unsigned.efi");
    std::swap_ranges(file.begin() + kSectionTable,
                     file.begin() + kSectionTable + 40,
                     file.begin() + kSectionTable + 40);
    EXPECT_EQ(parse_pe(file).sections()[0].name, ".osrel");
}

TEST(Pe, FindsSignaturesOfBothForms) {
    const Bytes two = read_fixture("other-then-db.efi");
    ASSERT_EQ(parse_pe(two).signatures().size(), 2U);
    EXPECT_EQ(parse_pe(two).signatures()[0].offset, 0x400U);
    const Bytes guid = read_fixture("crafted-guid.efi");
    const Bytes plain = read_fixture("crafted.efi");
    const PeImage with_guid = parse_pe(guid);
    const PeImage without = parse_pe(plain);
    ASSERT_EQ(with_guid.signatures().size(), 1U);
    EXPECT_EQ(as_text(with_guid.signatures()[0].pkcs7), as_text(without.signatures()[0].pkcs7));
}

TEST(Pe, EntriesThatFirmwareIgnoresAreNoSignatures) {
    Bytes file = read_fixture("crafted-other-guid.efi");
    EXPECT_TRUE(parse_pe(file).signatures().empty());
    file = read_fixture("sbsign.efi");
    put16(file, kCertificates + 6, 1);
    EXPECT_TRUE(parse_pe(file).signatures().empty());
}

TEST(Machine, WordsAndNumbersBelongTogether) {
    for (const char* word : {"amd64", "arm64", "386", "arm", "riscv64", "loong64"}) {
        ASSERT_TRUE(pe_machine(word)) << word;
        EXPECT_EQ(oci_architecture(*pe_machine(word)), word);
    }
    EXPECT_EQ(oci_architecture(0xaa64), "arm64");
    EXPECT_FALSE(oci_architecture(0x0ebc));
    EXPECT_FALSE(pe_machine("x86_64"));
    EXPECT_EQ(describe_machine(0x0ebc), "EFI machine 0x0ebc (unknown)");
}

}  // namespace
}  // namespace cfs::uki
