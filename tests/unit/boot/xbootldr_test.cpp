// SPDX-License-Identifier: Apache-2.0
// Two partitions that hold entries: the ESP, and the extended boot loader partition.
#include "esp_fixture.hpp"

namespace cfs::boot::test {
namespace {

class Xbootldr : public EspTest {
 protected:
    Xbootldr()
        : both_(OpenVolume{open_root(dir_.path()), "/dev/esp"},
                OpenVolume{open_root(extended_.path()), "/dev/xbootldr"},
                describe_uki) {}

    TempDir extended_;
    UkiEsp both_;
};

TEST_F(Xbootldr, NewEntriesGoThere) {
    const StagedUki staged = stage(both_, uki_text("2"), kName);
    EXPECT_EQ(both_.location(), "/dev/xbootldr");
    ASSERT_EQ(both_.staged().size(), 1U);
    EXPECT_EQ(both_.predict_after(staged, {"os", "2", "", "OS"}, {}), kFile);
    both_.verify(staged);
    both_.arm(staged);
    EXPECT_EQ(extended_.read(linux_path(kFile)), uki_text("2"));
    EXPECT_EQ(names(), std::vector<std::string>{kOldFile});
}

TEST_F(Xbootldr, EntriesOfBothAreListedAndChangedWhereTheyAre) {
    extended_.write(linux_path(kFile), uki_text("2"));
    const auto entries = both_.list();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].file, kOldFile);
    EXPECT_EQ(entries[1].file, kFile);
    EXPECT_FALSE(entries[0].where_new_go);
    EXPECT_TRUE(entries[1].where_new_go);
    EXPECT_EQ(both_.predict_next(), kFile);
    both_.demote(kFile);
    EXPECT_EQ(both_.predict_next(), kOldFile);
    both_.promote(kOldFile, Counter{2, 0});
    EXPECT_EQ(names(), std::vector<std::string>{"os_1-000001-00000001+2-0.efi"});
    both_.bless("os_1-000001-00000001+2-0.efi");
    EXPECT_EQ(names(), std::vector<std::string>{kOldFile});
    EXPECT_TRUE(both_.open(kOldFile));
    both_.remove("os_1-000001-00000001");
    EXPECT_TRUE(names().empty());
    EXPECT_EQ(both_.list().size(), 1U);
}

TEST_F(Xbootldr, OneStemIsNotOnBoth) {
    dir_.write(linux_path(kFile), uki_text("2"));
    EXPECT_EQ(code_of([&] { (void)stage(both_, uki_text("2"), kName); }), ErrorCode::Busy);
    EXPECT_TRUE(both_.staged().empty());
}

TEST_F(Xbootldr, WhatWasStagedOnTheEspBeforeIsArmedThere) {
    const StagedUki staged = stage(*esp_, uki_text("2"), kName);
    both_.arm(staged);
    EXPECT_EQ(names(), (std::vector<std::string>{kOldFile, kFile}));
}

TEST_F(Xbootldr, WhatIsPutBackTakesTheDamagedOnesPlace) {
    dir_.write(linux_path(kFile), "damaged");
    both_.restore(source_of(uki_text("2")).get(), sha256_of(uki_text("2")), kName);
    EXPECT_EQ(names(), std::vector<std::string>{kOldFile});
    EXPECT_EQ(extended_.read(linux_path(kFile)), uki_text("2"));
    EXPECT_TRUE(both_.staged().empty());
}

TEST_F(Xbootldr, LeftoversGoFromBoth) {
    dir_.write(linux_path(kStagedFile), "x");
    extended_.write(linux_path("os_3-000003-00000003.cfs-staged"), "y");
    EXPECT_EQ(both_.sweep_leftovers({"os_3-000003-00000003"}),
              std::vector<std::string>{kStagedFile});
    both_.unstage("os_3-000003-00000003");
    EXPECT_TRUE(both_.staged().empty());
}

TEST_F(Xbootldr, LoaderConfCountsOnTheEspAlone) {
    extended_.write(linux_path(kFile), uki_text("2"));
    extended_.write("loader/loader.conf", "default os_1*\n");
    EXPECT_EQ(both_.predict_next(), kFile);
    dir_.write("loader/loader.conf", "default os_1*\n");
    EXPECT_EQ(both_.predict_next(), kOldFile);
}

TEST_F(Xbootldr, EntriesOfTypeOneCountFromBoth) {
    extended_.write("vmlinuz", "kernel");
    extended_.write("loader/entries/alien.conf", "sort-key aaa\nversion 1\nlinux /vmlinuz\n");
    EXPECT_EQ(both_.predict_next(), "alien.conf");
}

}  // namespace
}  // namespace cfs::boot::test
