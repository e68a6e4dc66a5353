// SPDX-License-Identifier: Apache-2.0
#include "boot/loader_config.hpp"

#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <string>

namespace cfs::boot {
namespace {

using test::TempDir;

TEST(LoaderConfig, Type1EntryIsRead) {
    const auto type1 = parse_type1("debian+2-1.conf",
                                   "# made by hand\n"
                                   "title\tDebian 12\r\n"
                                   "  sort-key  debian  \n"
                                   "version 6.1\n"
                                   "machine-id 00ff\n"
                                   "options root=/dev/sda2 quiet\n"
                                   "linux \\EFI\\debian\\vmlinuz");
    ASSERT_TRUE(type1);
    EXPECT_EQ(type1->entry.file, "debian+2-1.conf");
    EXPECT_EQ(type1->entry.name, (EntryName{"debian", Counter{2, 1}}));
    EXPECT_EQ(type1->entry.title, "Debian 12");
    EXPECT_EQ(type1->entry.sort_key, "debian");
    EXPECT_EQ(type1->entry.version, "6.1");
    EXPECT_EQ(type1->entry.machine_id, "00ff");
    EXPECT_EQ(type1->program, "EFI/debian/vmlinuz");
    EXPECT_EQ(loader_id(type1->entry, EntryIds::WithoutCounter), "debian.conf");
}

TEST(LoaderConfig, OtherNamesAreNoType1Entries) {
    for (const char* file : {"a.conf.bak", ".conf", ".a.conf", "auto-a.conf", "a.efi", ""}) {
        EXPECT_FALSE(parse_type1(file, "linux /vmlinuz")) << file;
    }
}

TEST(LoaderConfig, ListsOnlyWhatCanBoot) {
    const TempDir esp;
    esp.write("vmlinuz", "kernel");
    esp.write("loader/entries/good.conf", "linux /vmlinuz\n");
    esp.write("loader/entries/gone.conf", "linux /vmlinuz-old\n");
    esp.write("loader/entries/outside.conf", "linux /../../../etc/passwd\n");
    esp.write("loader/entries/other-arch.conf", "linux /vmlinuz\narchitecture ia64\n");
    esp.write("loader/entries/empty.conf", "");
    esp.write("loader/entries/huge.conf", std::string(100000, '#') + "\nlinux /vmlinuz\n");
    ASSERT_EQ(::mkdir((esp / "loader/entries/dir.conf").c_str(), 0755), 0);
    const auto entries = list_type1(esp.fd());
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].file, "good.conf");
}

TEST(LoaderConfig, LastDefaultWinsAndVariablesAreNoPattern) {
    EXPECT_EQ(default_pattern("timeout 3\n#default x\ndefault a*\ndefault b*\n"), "b*");
    EXPECT_EQ(default_pattern("default @saved\n"), "");
    EXPECT_EQ(default_pattern("default\n"), "");
    EXPECT_EQ(default_pattern(""), "");
}

TEST(LoaderConfig, MissingFilesMeanNothing) {
    const TempDir esp;
    EXPECT_TRUE(list_type1(esp.fd()).empty());
    EXPECT_EQ(read_default_pattern(esp.fd()), "");
}

LoaderEntry listed(const std::string& file) {
    LoaderEntry out;
    out.file = file;
    out.name = parse_entry_name(file).value();
    return out;
}

TEST(LoaderConfig, DefaultPatternBeatsTheOrder) {
    const std::vector<LoaderEntry> ordered{listed("b_2.efi"), listed("a_1+0-3.efi")};
    const auto chosen = [&](const char* pattern, EntryIds ids = EntryIds::WithoutCounter) {
        return choose(ordered, pattern, ids);
    };
    EXPECT_EQ(chosen(""), "b_2.efi");
    EXPECT_EQ(chosen("A_1*"), "a_1+0-3.efi");
    EXPECT_EQ(chosen("none*"), "b_2.efi");
    EXPECT_EQ(chosen("a_1.efi"), "a_1+0-3.efi");
    EXPECT_EQ(chosen("a_1.efi", EntryIds::WithCounter), "b_2.efi");
    EXPECT_EQ(choose({}, "*", EntryIds::WithCounter), "");
}

}  // namespace
}  // namespace cfs::boot
