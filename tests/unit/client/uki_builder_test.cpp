// SPDX-License-Identifier: Apache-2.0
#include "client/seal/uki_builder.hpp"

#include "client/seal/input_file.hpp"
#include "client/seal/process.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "uki/uki.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace cfs::client {
namespace {

const std::string kStub = CFS_TEST_DATA "/uki/unsigned.efi";

/// A boot sector of an x86 kernel that tells its release.
Bytes kernel(std::string_view release) {
    Bytes out(0x1000, 0x90);
    const std::string magic = "HdrS";
    std::copy(magic.begin(), magic.end(), out.begin() + 0x202);
    store_le<std::uint16_t>(out, 0x20e, 0x400);
    const std::string text = std::string(release) + " (build@host) #1 SMP";
    std::copy(text.begin(), text.end(), out.begin() + 0x600);
    out[0x600 + text.size()] = 0;
    return out;
}

UkiParts parts() {
    UkiParts out;
    out.stub = read_input(kStub, 1 << 20);
    out.kernel = kernel("6.1.0-26-amd64");
    out.initrd = Bytes(5000, 0x42);
    out.cmdline = "quiet";
    out.os_release = "ID=test\nNAME=Test\n";
    return out;
}

TEST(KernelRelease, IsReadFromABzImage) {
    EXPECT_EQ(kernel_release(kernel("6.1.0-26-amd64")), "6.1.0-26-amd64");
}

TEST(KernelRelease, IsEmptyForAnythingElse) {
    EXPECT_EQ(kernel_release({}), "");
    EXPECT_EQ(kernel_release(Bytes(0x1000, 0)), "");
    Bytes beyond = kernel("6.1");
    store_le<std::uint16_t>(beyond, 0x20e, 0xffff);
    EXPECT_EQ(kernel_release(beyond), "");
    Bytes unterminated = kernel("6.1");
    std::fill(unterminated.begin() + 0x600, unterminated.end(), std::uint8_t{'x'});
    EXPECT_EQ(kernel_release(unterminated), "");
}

TEST(UkiSections, ComeInTheOrderOfTheFileWithTheKernelLast) {
    std::vector<std::string> names;
    for (const UkiSection& section : uki_sections(parts()))
        names.push_back(section.name);
    EXPECT_EQ(names,
              (std::vector<std::string>{".osrel", ".cmdline", ".uname", ".initrd", ".linux"}));
}

TEST(UkiSections, AnUnknownKernelHasNoUname) {
    UkiParts unknown = parts();
    unknown.kernel = Bytes(100, 1);
    for (const UkiSection& section : uki_sections(unknown))
        EXPECT_NE(section.name, ".uname");
}

TEST(SectionAddresses, AreAlignedApartAndBehindTheStub) {
    const UkiParts all = parts();
    const auto sections = uki_sections(all);
    const auto addresses = section_addresses(all.stub, sections);
    const uki::PeImage pe = uki::parse_pe(all.stub);
    std::uint64_t end = 0;
    for (const uki::PeSection& section : pe.sections()) {
        end = std::max(end, std::uint64_t{section.virtual_address} + section.virtual_size);
    }
    ASSERT_EQ(addresses.size(), sections.size());
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        EXPECT_EQ(addresses[i] % 4096, 0U);
        EXPECT_GE(addresses[i], end);
        end = addresses[i] + sections[i].content.size();
    }
}

TEST(SectionAddresses, AStubThatIsNoPeIsRefused) {
    test::expect_error(
        ErrorCode::BadFormat, "", [] { static_cast<void>(section_addresses(Bytes(100, 0), {})); });
}

class BuildUki : public testing::Test {
 protected:
    void SetUp() override {
        if (!have_program("objcopy")) GTEST_SKIP() << "objcopy is not installed (binutils)";
    }

    test::TempDir dir_;
};

TEST_F(BuildUki, GivesAUkiThatHoldsItsParts) {
    UkiParts all = parts();
    // The data file is a UKI already: its own sections would come first.
    const std::string stub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
    if (::access(stub.c_str(), R_OK) != 0) GTEST_SKIP() << "needs " << stub;
    all.stub = read_input(stub, 1 << 20);
    const Bytes file = build_uki(all, dir_.path());
    const uki::Uki uki = uki::parse_uki(file);
    EXPECT_EQ(uki.cmdline(), "quiet");
    EXPECT_EQ(uki.osrel.id(), "test");
    EXPECT_EQ(uki.uname, "6.1.0-26-amd64");
    EXPECT_TRUE(uki.has_initrd);
    const uki::PeImage pe = uki::parse_pe(file);
    EXPECT_TRUE(std::ranges::equal(pe.find(".initrd")->content(), all.initrd));
    EXPECT_TRUE(std::ranges::equal(pe.find(".linux")->content(), all.kernel));
    // objcopy knows the time of day, in seconds.
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    const test::TempDir again;
    EXPECT_TRUE(build_uki(all, again.path()) == file);
}

TEST(RunProgram, AMissingOneNamesItsPackage) {
    try {
        run_program({"no-such-program-here"}, "the-package");
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_NE(error.hint().find("the-package"), std::string::npos);
    }
}

TEST(RunProgram, AFailingOneShowsWhatItPrinted) {
    test::expect_error(ErrorCode::Internal, "exit code 3: the reason", [] {
        run_program({"sh", "-c", "echo the reason >&2; exit 3"}, "dash");
    });
}

TEST(RunProgram, ASucceedingOneIsSilent) {
    run_program({"true"}, "coreutils");
}

}  // namespace
}  // namespace cfs::client
