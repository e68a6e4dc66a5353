// SPDX-License-Identifier: Apache-2.0
// The same on a file system with fs-verity, as the stand-in plays it.
#include "base/file_io.hpp"
#include "crypto/fsverity.hpp"
#include "repair_site.hpp"
#include "unit/store/fake_verity.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

namespace cfs {
namespace {

using test::FakeVerity;
using test::RepairSite;

std::optional<Digest> measured(const RepairSite& machine, const Digest& object) {
    const UniqueFd fd(
        ::open((machine.site.dir / RepairSite::path_of(object)).c_str(), O_RDONLY | O_CLOEXEC));
    return measure_verity(fd.get());
}

TEST(RepairWithVerity, TheFastLookSeesWhatTheKernelSees) {
    const FakeVerity verity;
    RepairSite machine;
    ASSERT_TRUE(machine.store()->secure());
    const Digest object = machine.object_of("usr/lib/big");
    const std::string bytes = machine.site.dir.read(RepairSite::path_of(object));
    const auto sound = machine.verify();
    EXPECT_TRUE(sound.sound());
    EXPECT_EQ(sound.bytes, 0U);
    EXPECT_EQ(sound.unvouched, 0U);
    EXPECT_EQ(sound.warnings, std::vector<std::string>{});
    // A copy with the right bytes is not protected by anybody.
    machine.lose(object);
    machine.site.dir.write(RepairSite::path_of(object), bytes);
    EXPECT_NE(machine.verify().items.at(0).find("has no fs-verity"), std::string::npos);
    EXPECT_EQ(machine.repair().fetched_bytes, RepairSite::blob_size("v1", 0));
    EXPECT_EQ(measured(machine, object), object);
    EXPECT_EQ(machine.site.dir.read(RepairSite::path_of(object)), bytes);
    EXPECT_TRUE(machine.verify().sound());
}

TEST(RepairWithVerity, WhatTheDiskLostIsFoundByReadingAndReplacedThoughItMeasuresRight) {
    const FakeVerity verity;
    RepairSite machine;
    const Digest object = machine.object_of("usr/lib/big");
    const std::string bytes = machine.site.dir.read(RepairSite::path_of(object));
    machine.garble(object);
    EXPECT_EQ(measured(machine, object), object);
    EXPECT_TRUE(machine.verify().sound());
    EXPECT_EQ(machine.verify(true).damaged, 1U);
    EXPECT_EQ(machine.repair().repaired, 1U);
    EXPECT_EQ(measured(machine, object), object);
    EXPECT_EQ(machine.site.dir.read(RepairSite::path_of(object)), bytes);
    EXPECT_TRUE(machine.verify(true).sound());
}

}  // namespace
}  // namespace cfs
