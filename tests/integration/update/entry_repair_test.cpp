// SPDX-License-Identifier: Apache-2.0
// A UKI on the ESP that is damaged or lost comes back from the store, and changes no choice.
#include "repair_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace cfs {
namespace {

using test::RepairSite;

constexpr const char* kEntries = "esp/EFI/Linux/";

/// Version 1, and version 2 that runs and is proven.
class EntryRepair : public testing::Test {
 protected:
    EntryRepair() {
        machine.update("v2");
        const auto status = machine.site.engine().status();
        newer = status.booted->uki;
        older = status.rollback->uki;
    }

    [[nodiscard]] std::string bytes_of(const std::string& file) const {
        return machine.site.dir.read(kEntries + file);
    }

    void lose(const std::string& file) {
        ASSERT_TRUE(std::filesystem::remove(machine.site.dir / (kEntries + file)));
    }

    /// Something is mended without the registry.
    void expect_mended(const std::string& what) {
        const auto result = machine.repair();
        EXPECT_EQ(result.repaired, 1U);
        ASSERT_EQ(result.found.items.size(), 1U);
        EXPECT_EQ(result.found.items[0].find("entry "), 0U) << result.found.items[0];
        EXPECT_NE(result.found.items[0].find(what), std::string::npos) << result.found.items[0];
        EXPECT_EQ(machine.registry().requests().size(), 0U);
        EXPECT_TRUE(machine.verify(true).sound());
        EXPECT_EQ(machine.repair().repaired, 0U);
    }

    RepairSite machine;
    std::string newer, older;
};

TEST_F(EntryRepair, AFlippedBitIsFoundByReadingAndMendedInPlace) {
    const std::string bytes = bytes_of(newer);
    std::string damaged = bytes;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 4);
    machine.site.dir.write(kEntries + newer, damaged);
    EXPECT_TRUE(machine.verify().sound());
    const auto found = machine.verify(true);
    EXPECT_EQ(found.damaged, 1U);
    EXPECT_EQ(found.missing, 0U);
    const auto before = machine.site.entries();
    expect_mended("is not the UKI that was installed");
    EXPECT_EQ(bytes_of(newer), bytes);
    EXPECT_EQ(machine.site.entries(), before);
}

TEST_F(EntryRepair, ATruncatedOneIsFoundByItsSize) {
    const std::string bytes = bytes_of(newer);
    std::filesystem::resize_file(machine.site.dir / (kEntries + newer), 100);
    EXPECT_EQ(machine.verify().damaged, 1U);
    expect_mended("is not the UKI that was installed");
    EXPECT_EQ(bytes_of(newer), bytes);
}

TEST_F(EntryRepair, ALostWayBackComesBackAndIsNotNext) {
    const std::string bytes = bytes_of(older);
    lose(older);
    EXPECT_EQ(machine.verify().missing, 1U);
    expect_mended("is not on the ESP");
    EXPECT_EQ(bytes_of(older), bytes);
    const auto status = machine.site.engine().status();
    EXPECT_TRUE(status.booted->next);
    EXPECT_EQ(status.rollback->uki, older);
}

TEST_F(EntryRepair, WhatARollbackLeftComesBackAsTheLastChoice) {
    (void)machine.site.engine().rollback(machine.site.progress, {});
    (void)machine.site.reboot();
    const auto left = machine.site.engine().status();
    ASSERT_EQ(left.booted->version, "1");
    const auto names = machine.site.entries();
    const auto held = std::find_if(
        names.begin(), names.end(), [&](const auto& name) { return name != left.booted->uki; });
    ASSERT_NE(held, names.end());
    lose(*held);
    expect_mended("is not on the ESP");
    const auto status = machine.site.engine().status();
    EXPECT_TRUE(status.booted->next);
    EXPECT_EQ(machine.site.entries(), names);
}

TEST_F(EntryRepair, AnEntryWhoseImageCannotBeHadIsNotPutBack) {
    lose(older);
    const auto deployments = machine.site.engine().status().deployments;
    const auto first = std::find_if(deployments.begin(), deployments.end(), [](const auto& each) {
        return each.version == "1";
    });
    ASSERT_NE(first, deployments.end());
    machine.unplug();
    std::filesystem::remove(machine.site.dir / ("sysroot/composefs/images/" + first->digest));
    machine.lose(machine.store()->find_stream(RepairSite::layer_stream("v1", 1)).value());
    EXPECT_ANY_THROW((void)machine.repair());
    EXPECT_EQ(machine.site.entries().size(), 1U);
}

}  // namespace
}  // namespace cfs
