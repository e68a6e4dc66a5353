// SPDX-License-Identifier: Apache-2.0
#include "boot/mount_table.hpp"

#include <gtest/gtest.h>

namespace cfs::boot {
namespace {

// The example of proc_pid_mountinfo(5), and lines of a machine with an automount.
constexpr const char* kTable =
    "36 35 98:0 /mnt1 /mnt/parent rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
    "27 1 254:2 / / rw,relatime shared:1 - ext4 /dev/vda2 rw\n"
    "40 27 0:31 / /efi rw,relatime shared:20 - autofs systemd-1 rw,fd=39\n"
    "95 40 254:1 / /efi rw,nosuid,nodev shared:55 master:3 - vfat /dev/vda1 rw,fmask=0077\n"
    "96 27 8:1 / /mnt/a\\040b\\134 rw - vfat /dev/sda1 rw\n";

TEST(MountTable, ReadsWhatTheKernelWrites) {
    const auto table = parse_mount_table(kTable);
    ASSERT_EQ(table.size(), 5U);
    EXPECT_EQ(table[0].number, "98:0");
    EXPECT_EQ(table[0].root, "/mnt1");
    EXPECT_EQ(table[0].path, "/mnt/parent");
    EXPECT_EQ(table[0].file_system, "ext3");
    EXPECT_EQ(table[0].source, "/dev/root");
    EXPECT_EQ(table[3].file_system, "vfat");
    EXPECT_EQ(table[3].source, "/dev/vda1");
    EXPECT_EQ(table[4].path, "/mnt/a b\\");
}

TEST(MountTable, TheLastMountOnAPathIsTheOneThatIsSeen) {
    const auto table = parse_mount_table(kTable);
    ASSERT_NE(find_mount(table, "/efi"), nullptr);
    EXPECT_EQ(find_mount(table, "/efi")->number, "254:1");
    EXPECT_EQ(find_mount(table, "/boot"), nullptr);
}

TEST(MountTable, APathLiesOnTheDeepestMountAboveIt) {
    const auto table = parse_mount_table(kTable);
    EXPECT_EQ(mount_below(table, "/sysroot")->number, "254:2");
    EXPECT_EQ(mount_below(table, "/efi/EFI/Linux")->number, "254:1");
    EXPECT_EQ(mount_below(table, "/efi")->number, "254:1");
    // "/efi" is no directory above it.
    EXPECT_EQ(mount_below(table, "/efivars")->number, "254:2");
    EXPECT_EQ(mount_below({}, "/"), nullptr);
}

TEST(MountTable, LinesThatMakeNoSenseAreLeftOut) {
    for (const char* line : {"",
                             "\n\n",
                             "1 2 3",
                             "36 35 98:0 / /x rw - vfat",
                             "36 35 98:0 / /x rw vfat /dev/x rw more",
                             "- - - - - - - - -"}) {
        EXPECT_TRUE(parse_mount_table(line).empty()) << line;
    }
    // What looks like an escape and is none stays.
    const auto table = parse_mount_table("1 1 1:1 / /x\\9\\04 rw - vfat /dev/x\\ rw");
    ASSERT_EQ(table.size(), 1U);
    EXPECT_EQ(table[0].path, "/x\\9\\04");
    EXPECT_EQ(table[0].source, "/dev/x\\");
}

}  // namespace
}  // namespace cfs::boot
