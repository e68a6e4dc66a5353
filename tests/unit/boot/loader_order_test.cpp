// SPDX-License-Identifier: Apache-2.0
// Cases: the order of systemd-boot as boot-loader fact sheets and its manual describe it.
#include "boot/loader_order.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace cfs::boot {
namespace {

LoaderEntry entry(const std::string& file, std::string sort_key = "os", std::string version = "1") {
    LoaderEntry out;
    out.file = file;
    out.name = parse_entry_name(file).value();
    out.sort_key = std::move(sort_key);
    out.version = std::move(version);
    out.size = 1;
    out.readable = true;
    return out;
}

std::vector<std::string> order(std::vector<LoaderEntry> entries,
                               EntryIds ids = EntryIds::WithoutCounter) {
    std::vector<std::string> out;
    for (const LoaderEntry& e : loader_order(std::move(entries), ids))
        out.push_back(e.file);
    return out;
}

using Files = std::vector<std::string>;

TEST(LoaderOrder, NewestVersionFirst) {
    EXPECT_EQ(order({entry("a.efi", "os", "9"), entry("b.efi", "os", "10")}),
              (Files{"b.efi", "a.efi"}));
}

TEST(LoaderOrder, OutOfTriesComesLastWhateverItsVersion) {
    EXPECT_EQ(order({entry("a+0-3.efi", "os", "9"), entry("b.efi", "os", "1")}),
              (Files{"b.efi", "a+0-3.efi"}));
}

TEST(LoaderOrder, SortKeyBeforeNone) {
    EXPECT_EQ(order({entry("z.efi", "", "9"), entry("a.efi", "zzz", "1")}),
              (Files{"a.efi", "z.efi"}));
}

TEST(LoaderOrder, SortKeysAscendBeforeVersions) {
    EXPECT_EQ(order({entry("a.efi", "os-b", "9"), entry("b.efi", "os-a", "1")}),
              (Files{"b.efi", "a.efi"}));
}

TEST(LoaderOrder, MachineIdBeforeVersion) {
    LoaderEntry newer = entry("a.efi", "os", "9");
    newer.machine_id = "ff";
    LoaderEntry older = entry("b.efi", "os", "1");
    older.machine_id = "00";
    EXPECT_EQ(order({newer, older}), (Files{"b.efi", "a.efi"}));
}

TEST(LoaderOrder, FileNameDecidesBetweenEqualReleases) {
    EXPECT_EQ(order({entry("os_1-000009-ffffffff.efi"), entry("os_1-000010-00000000.efi")}),
              (Files{"os_1-000010-00000000.efi", "os_1-000009-ffffffff.efi"}));
}

TEST(LoaderOrder, WithoutSortKeysTheNamesDecide) {
    EXPECT_EQ(order({entry("os_9.efi", ""), entry("os_10.efi", "")}),
              (Files{"os_10.efi", "os_9.efi"}));
}

TEST(LoaderOrder, MoreTriesLeftFirstForTheSameEntry) {
    EXPECT_EQ(order({entry("a+1-0.efi"), entry("a+2-0.efi")}), (Files{"a+2-0.efi", "a+1-0.efi"}));
    EXPECT_EQ(order({entry("a+1-2.efi"), entry("a+1-1.efi")}), (Files{"a+1-1.efi", "a+1-2.efi"}));
}

TEST(LoaderOrder, LoadersOfDifferentAgeReadTheCounterDifferently) {
    // Old loaders compare "a_1+2-0.efi" with "a_1.1.efi", new ones "a_1.efi" with it.
    const LoaderEntry counted = entry("a_1+2-0.efi", "os");
    const LoaderEntry longer = entry("a_1.1.efi", "os");
    EXPECT_EQ(order({counted, longer}, EntryIds::WithCounter).front(), "a_1+2-0.efi");
    EXPECT_EQ(order({counted, longer}, EntryIds::WithoutCounter).front(), "a_1.1.efi");
}

TEST(LoaderOrder, EmptyAndUnlistedFilesAreNotOffered) {
    LoaderEntry empty = entry("empty.efi");
    empty.size = 0;
    LoaderEntry broken = entry("broken.efi");
    broken.readable = false;
    EXPECT_EQ(order({empty, broken, entry("a.efi")}), (Files{"a.efi"}));
}

TEST(LoaderOrder, IdIsLowerCase) {
    EXPECT_EQ(loader_id(entry("CFS_2+2-1.EFI"), EntryIds::WithCounter), "cfs_2+2-1.efi");
    EXPECT_EQ(loader_id(entry("CFS_2+2-1.EFI"), EntryIds::WithoutCounter), "cfs_2.efi");
}

}  // namespace
}  // namespace cfs::boot
