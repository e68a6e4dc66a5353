// SPDX-License-Identifier: Apache-2.0
#include "esp_fixture.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace cfs::boot::test {
namespace {

using Names = std::vector<std::string>;

class UkiEspTest : public EspTest {};

TEST_F(UkiEspTest, StagedFileHasANameThatNoLoaderLists) {
    const std::string before = esp_->predict_next();
    const StagedUki staged = stage(*esp_, uki_text("2"), kName);
    EXPECT_EQ(staged.file, kStagedFile);
    EXPECT_EQ(staged.final_name, kName);
    EXPECT_EQ(staged.size, uki_text("2").size());
    EXPECT_EQ(names(), (Names{kOldFile, kStagedFile}));
    EXPECT_EQ(dir_.read(linux_path(kStagedFile)), uki_text("2"));
    EXPECT_EQ(esp_->list().size(), 1U);
    EXPECT_EQ(esp_->predict_next(), before);
}

TEST_F(UkiEspTest, LargeFilesArriveWhole) {
    const std::string content = uki_text("2", (std::size_t{5} << 20) + 123);
    const StagedUki staged = stage(*esp_, content, kName);
    EXPECT_EQ(dir_.read(linux_path(kStagedFile)), content);
    EXPECT_NO_THROW(esp_->verify(staged));
}

TEST_F(UkiEspTest, ThePositionOfTheSourceDoesNotMatter) {
    const std::string content = uki_text("2");
    const UniqueFd source = source_of(content);
    ASSERT_EQ(::lseek(source.get(), 7, SEEK_SET), 7);
    (void)esp_->stage(source.get(), sha256_of(content), kName);
    EXPECT_EQ(dir_.read(linux_path(kStagedFile)), content);
}

TEST_F(UkiEspTest, FolderIsMadeWhenMissing) {
    const TempDir empty;
    const auto esp = open_esp(empty.path());
    EXPECT_TRUE(esp->list().empty());
    EXPECT_EQ(esp->predict_next(), "");
    esp->arm(stage(*esp, uki_text("2"), kName));
    EXPECT_EQ(esp->predict_next(), kFile);
}

TEST_F(UkiEspTest, WrongDigestLeavesNothingBehind) {
    const std::string before = tree_listing(dir_.path());
    const UniqueFd source = source_of(uki_text("2"));
    EXPECT_EQ(code_of([&] { (void)esp_->stage(source.get(), sha256_of("something else"), kName); }),
              ErrorCode::DigestMismatch);
    EXPECT_EQ(tree_listing(dir_.path()), before);
}

TEST_F(UkiEspTest, Sha512IsTakenToo) {
    const std::string content = uki_text("2");
    const Digest digest = hash(HashAlgorithm::Sha512, as_bytes(content));
    const StagedUki staged = esp_->stage(source_of(content).get(), digest, kName);
    EXPECT_NO_THROW(esp_->verify(staged));
}

TEST_F(UkiEspTest, LeftoverOfTheSameStemIsReplaced) {
    dir_.write(linux_path(kStagedFile), "half a UKI");
    (void)stage(*esp_, uki_text("2"), kName);
    EXPECT_EQ(dir_.read(linux_path(kStagedFile)), uki_text("2"));
}

TEST_F(UkiEspTest, StemThatExistsWithAnotherCounterIsBusy) {
    dir_.write(linux_path("os_2-000002-00000002+0-1.efi"), uki_text("2"));
    const std::string before = tree_listing(dir_.path());
    EXPECT_EQ(code_of([&] { (void)stage(*esp_, uki_text("2"), kName); }), ErrorCode::Busy);
    EXPECT_EQ(tree_listing(dir_.path()), before);
}

TEST_F(UkiEspTest, StemThatDiffersOnlyInCaseIsBusy) {
    dir_.write(linux_path("OS_2-000002-00000002.EFI"), uki_text("2"));
    EXPECT_EQ(code_of([&] { (void)stage(*esp_, uki_text("2"), kName); }), ErrorCode::Busy);
}

TEST_F(UkiEspTest, NamesThatFatOrLoadersDoNotTakeAreRefused) {
    for (const char* stem : {"", "Upper", "a b", "../a", "a/b", "a+1-0", "auto-x", ".x"}) {
        EXPECT_EQ(code_of([&] {
                      (void)stage(*esp_, uki_text("2"), {stem, Counter{2, 0}});
                  }),
                  ErrorCode::InvalidArgs)
            << stem;
    }
}

TEST_F(UkiEspTest, EmptyAndOversizedUkisAreRefused) {
    const auto small = UkiEsp::open_path(dir_.path(), describe_uki, 10);
    EXPECT_EQ(code_of([&] { (void)stage(*small, "12345678901", kName); }), ErrorCode::BadFormat);
    EXPECT_EQ(code_of([&] { (void)stage(*small, "", kName); }), ErrorCode::BadFormat);
    EXPECT_EQ(code_of([&] { small->check_space({.uki = 11}); }), ErrorCode::BadFormat);
}

TEST_F(UkiEspTest, ArmIsOneRenameToTheCountedName) {
    esp_->arm(stage(*esp_, uki_text("2"), kName));
    EXPECT_EQ(names(), (Names{kOldFile, kFile}));
    EXPECT_EQ(dir_.read(linux_path(kFile)), uki_text("2"));
    EXPECT_EQ(esp_->predict_next(), kFile);
}

TEST_F(UkiEspTest, ArmLooksAtTheDirectoryAnew) {
    const StagedUki staged = stage(*esp_, uki_text("2"), kName);
    dir_.write(linux_path("os_2-000002-00000002.efi"), "somebody else's");
    const std::string before = tree_listing(dir_.path());
    EXPECT_EQ(code_of([&] { esp_->arm(staged); }), ErrorCode::Busy);
    EXPECT_EQ(tree_listing(dir_.path()), before);
}

TEST_F(UkiEspTest, ArmRefusesWhatIsNotStaged) {
    StagedUki staged = stage(*esp_, uki_text("2"), kName);
    dir_.write(linux_path(kStagedFile), "truncated");
    EXPECT_EQ(code_of([&] { esp_->arm(staged); }), ErrorCode::DigestMismatch);
    esp_->unstage(kName.stem);
    EXPECT_EQ(code_of([&] { esp_->arm(staged); }), ErrorCode::NotFound);
    staged.file = kOldFile;
    EXPECT_EQ(code_of([&] { esp_->arm(staged); }), ErrorCode::InvalidArgs);
}

TEST_F(UkiEspTest, VerifyNoticesChangedBytes) {
    const StagedUki staged = stage(*esp_, uki_text("2"), kName);
    dir_.write(linux_path(kStagedFile), uki_text("3"));
    EXPECT_EQ(code_of([&] { esp_->verify(staged); }), ErrorCode::DigestMismatch);
}

TEST_F(UkiEspTest, UnstageTwiceIsNoError) {
    const std::string before = tree_listing(dir_.path());
    (void)stage(*esp_, uki_text("2"), kName);
    esp_->unstage(kName.stem);
    EXPECT_EQ(tree_listing(dir_.path()), before);
    EXPECT_NO_THROW(esp_->unstage(kName.stem));
}

TEST_F(UkiEspTest, DemotePromoteAndBlessOnlyChangeTheName) {
    esp_->demote(kOldFile);
    EXPECT_EQ(names(), (Names{"os_1-000001-00000001+0-1.efi"}));
    esp_->demote("os_1-000001-00000001+0-1.efi");
    esp_->promote("os_1-000001-00000001+0-1.efi", {3, 0});
    EXPECT_EQ(names(), (Names{"os_1-000001-00000001+3-0.efi"}));
    esp_->bless("OS_1-000001-00000001+3-0.EFI");
    EXPECT_EQ(names(), (Names{kOldFile}));
    EXPECT_EQ(dir_.read(linux_path(kOldFile)), uki_text("1"));
}

TEST_F(UkiEspTest, RenamingWhatIsNotThereSaysSo) {
    for (const char* file : {"none.efi", "../none.efi", "EFI", "none", ""}) {
        EXPECT_EQ(code_of([&] { esp_->demote(file); }), ErrorCode::NotFound) << file;
    }
}

TEST_F(UkiEspTest, TwinsAreNeverRenamed) {
    dir_.write(linux_path("os_1-000001-00000001+3-0.efi"), uki_text("1"));
    const std::string before = tree_listing(dir_.path());
    EXPECT_EQ(code_of([&] { esp_->bless("os_1-000001-00000001+3-0.efi"); }), ErrorCode::Busy);
    EXPECT_EQ(code_of([&] { esp_->demote(kOldFile); }), ErrorCode::Busy);
    EXPECT_EQ(tree_listing(dir_.path()), before);
}

TEST_F(UkiEspTest, RemoveTakesTheEntryAndItsCompanions) {
    const std::string before = tree_listing(dir_.path());
    esp_->arm(stage(*esp_, uki_text("2"), kName));
    dir_.write(linux_path("os_2-000002-00000002.efi.extra.d/a.addon.efi"), "addon");
    dir_.write(linux_path("os_2-000002-00000002.efi.extra.d/deep/b.cred"), "cred");
    esp_->remove(kName.stem);
    EXPECT_EQ(tree_listing(dir_.path()), before);
    EXPECT_NO_THROW(esp_->remove(kName.stem));
}

TEST_F(UkiEspTest, SweepTakesOnlyOurLeftovers) {
    (void)stage(*esp_, uki_text("2"), kName);
    dir_.write(linux_path("os_9-000009-00000009.cfs-staged"), "half");
    dir_.write(linux_path("Foreign.cfs-staged"), "not our spelling");
    dir_.write(linux_path("other.tmp"), "foreign");
    ASSERT_EQ(::mkdir((dir_ / linux_path("d.cfs-staged")).c_str(), 0755), 0);
    const auto staged = esp_->staged();
    ASSERT_EQ(staged.size(), 2U);
    EXPECT_EQ(staged[0].stem, kName.stem);
    EXPECT_EQ(staged[1].size, 4U);
    EXPECT_EQ(esp_->sweep_leftovers({kName.stem}), (Names{"os_9-000009-00000009.cfs-staged"}));
    EXPECT_EQ(names(),
              (Names{"Foreign.cfs-staged", "d.cfs-staged", kOldFile, kStagedFile, "other.tmp"}));
}

TEST_F(UkiEspTest, OpensEntriesAndStagedFilesOnly) {
    (void)stage(*esp_, uki_text("2"), kName);
    EXPECT_TRUE(esp_->open(kOldFile));
    EXPECT_TRUE(esp_->open(kStagedFile));
    EXPECT_FALSE(esp_->open("../Linux/" + std::string(kOldFile)));
    EXPECT_FALSE(esp_->open("."));
    EXPECT_FALSE(esp_->open("none.efi"));
}

TEST_F(UkiEspTest, ForeignFilesAreNeverTouched) {
    for (const char* file : {"EFI/Microsoft/Boot/bootmgfw.efi",
                             "EFI/Linux/Fedora-6.9.efi",
                             "EFI/Linux/broken.efi",
                             "EFI/Linux/notes.txt",
                             "EFI/Linux/bootc/bootc_composefs-1.efi",
                             "loader/loader.conf"}) {
        dir_.write(file, "foreign");
    }
    const std::string before = tree_listing(dir_.path());
    esp_->arm(stage(*esp_, uki_text("2"), kName));
    esp_->demote(kFile);
    (void)esp_->sweep_leftovers({});
    esp_->remove(kName.stem);
    EXPECT_EQ(tree_listing(dir_.path()), before);
}

TEST_F(UkiEspTest, AnEntryIsPutBackWithItsTries) {
    const EntryName name{"os_1-000001-00000001", Counter{1, 1}};
    esp_->restore(source_of(uki_text("1")).get(), sha256_of(uki_text("1")), name);
    EXPECT_EQ(names(), std::vector<std::string>{"os_1-000001-00000001+1-1.efi"});
    EXPECT_EQ(dir_.read(linux_path("os_1-000001-00000001+1-1.efi")), uki_text("1"));
}

TEST_F(UkiEspTest, WhatIsPutBackMustBeWhatWasAskedFor) {
    const auto mend = [&] {
        esp_->restore(source_of("other bytes").get(),
                      sha256_of(uki_text("1")),
                      {"os_1-000001-00000001", std::nullopt});
    };
    const std::string before = tree_listing(dir_.path());
    EXPECT_EQ(code_of(mend), ErrorCode::DigestMismatch);
    EXPECT_EQ(tree_listing(dir_.path()), before);
}

}  // namespace
}  // namespace cfs::boot::test
