// SPDX-License-Identifier: Apache-2.0
#include "initrd/aftermath.hpp"

#include "boot/efi_text.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

namespace cfs::initrd {
namespace {

using namespace std::string_literals;
using test::TempDir;

constexpr const char* kVendor = "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const std::string kHex(128, 'a');

std::string utf16(std::string_view text) {
    std::string out = "\x06\0\0\0"s;
    for (const char c : text) {
        out += c;
        out += '\0';
    }
    return out + "\0\0"s;
}

TEST(InitrdFailure, ACountedEntryFallsBackSoon) {
    EXPECT_EQ(seconds_to_reboot({true, true, "x"}), 10U);
    EXPECT_EQ(seconds_to_reboot({true, false, "x"}), 10U);
}

TEST(InitrdFailure, ASealedEntryNeverEndsInAShell) {
    EXPECT_EQ(seconds_to_reboot({false, true, ""}), 300U);
}

TEST(InitrdFailure, AnUnsealedOneStaysForAPerson) {
    EXPECT_FALSE(seconds_to_reboot({false, false, ""}));
}

TEST(InitrdFailure, ReadsTheLoadersVariables) {
    const TempDir dir;
    Options options;
    options.efivars = dir.path();
    options.cmdline = dir / "cmdline";
    dir.write("LoaderEntrySelected"s + kVendor, utf16("os_2+1-1.efi"));
    dir.write("cmdline", "quiet composefs=?" + kHex + "\n");
    BootAttempt found = look_at_boot(options);
    EXPECT_EQ(found.entry, "os_2+1-1.efi");
    EXPECT_FALSE(found.counted);
    EXPECT_FALSE(found.sealed);
    dir.write("LoaderBootCountPath"s + kVendor, utf16("\\EFI\\Linux\\os_2+1-1.efi"));
    dir.write("cmdline", "quiet composefs=" + kHex + "\n");
    found = look_at_boot(options);
    EXPECT_TRUE(found.counted);
    EXPECT_TRUE(found.sealed);
}

TEST(InitrdFailure, TakesAnUnreadableCommandLineForASealedOne) {
    const TempDir dir;
    Options options;
    options.efivars = dir / "none";
    options.cmdline = dir / "cmdline";
    EXPECT_TRUE(look_at_boot(options).sealed);
    dir.write("cmdline", "composefs=?" + kHex + " composefs=?" + kHex);
    const BootAttempt found = look_at_boot(options);
    EXPECT_TRUE(found.sealed);
    EXPECT_FALSE(found.counted);
    EXPECT_EQ(found.entry, "");
}

TEST(InitrdFailure, ReadsTextOfAVariable) {
    EXPECT_EQ(boot::efi_text(utf16("a.efi")), "a.efi");
    EXPECT_EQ(boot::efi_text("\x06\0\0\0a\0\x42\x04z\0"s), "a?z");
    EXPECT_EQ(boot::efi_text("\x06\0\0\0a\0\n\0b"s), "a?");
    EXPECT_EQ(boot::efi_text("\x06\0"s), "");
}

TEST(InitrdFailure, IsOneLineWithCauseAndCure) {
    Error error(ErrorCode::Internal, "it broke", "mend it");
    EXPECT_EQ(failure_line(error), "it broke; mend it");
    error.set_details("kernel: a\nkernel: b");
    EXPECT_EQ(failure_line(error), "it broke (kernel: a kernel: b); mend it");
    EXPECT_EQ(failure_line(Error(ErrorCode::Internal, "it broke")), "it broke");
}

}  // namespace
}  // namespace cfs::initrd
