// SPDX-License-Identifier: Apache-2.0
// The choice of one boot, as EFI variables have it, and what loaders make of it.
#include "boot/one_shot.hpp"

#include "esp_fixture.hpp"
#include "support/file_flags.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace cfs::boot::test {
namespace {

using cfs::test::FileFlags;

constexpr const char* kGuid = "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
constexpr const char* kPattern = "os_1-000001-00000001*.efi";
/// Bits 0 to 4 of LoaderFeatures, as the Boot Loader Interface numbers them: the fourth is
/// LoaderEntryOneShot.
constexpr char kAll = 0x1f;
constexpr char kAllButOneShot = 0x17;

class OneShot : public EspTest {
 protected:
    OneShot() {
        set_features(kAll);
        dir_.write(linux_path("os_3-1.efi"), uki_text("3"));
        esp_->consult_variables(variables_.path());
    }

    static std::string file(const std::string& name) { return name + kGuid; }

    /// As systemd-boot writes it: attributes, then 64 bits.
    void set_features(char low) {
        std::string content("\x06\0\0\0", 4);
        content += low;
        variables_.write(file("LoaderFeatures"), content + std::string(7, '\0'));
    }

    static std::string variable_text(const std::string& text) {
        std::string content("\x07\0\0\0", 4);
        for (const char c : text + std::string(1, '\0'))
            content += std::string{c, '\0'};
        return content;
    }

    [[nodiscard]] std::string content() const {
        const auto text = find_text_at(variables_.fd(), file("LoaderEntryOneShot"), 4096);
        return text.value_or("none");
    }

    TempDir variables_;
};

TEST_F(OneShot, IsWrittenInTheFirmwaresForm) {
    EXPECT_EQ(esp_->why_no_trial(), "");
    esp_->try_once("os_1-000001-00000001");
    EXPECT_EQ(content(), variable_text(kPattern));
    EXPECT_EQ(esp_->predict_next(), kOldFile) << "though version 3 comes first";
    struct stat st {};
    ASSERT_EQ(::stat((variables_ / file("LoaderEntryOneShot")).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777U, 0644U);
}

TEST_F(OneShot, SayingItAgainWritesNothing) {
    esp_->try_once("os_1-000001-00000001");
    const auto before = stat_at(variables_.fd(), file("LoaderEntryOneShot"));
    esp_->try_once("os_1-000001-00000001");
    const auto after = stat_at(variables_.fd(), file("LoaderEntryOneShot"));
    ASSERT_TRUE(before && after);
    EXPECT_EQ(before->st_ino, after->st_ino);
    EXPECT_EQ(before->st_mtim.tv_nsec, after->st_mtim.tv_nsec);
}

TEST_F(OneShot, AShorterChoiceReplacesALongerOne) {
    variables_.write(file("LoaderEntryOneShot"), variable_text(std::string(300, 'x')));
    set_one_shot(variables_.path(), kPattern);
    EXPECT_EQ(content(), variable_text(kPattern));
}

TEST_F(OneShot, EndsOnlyItsOwnChoice) {
    esp_->try_once("os_1-000001-00000001");
    esp_->forget_once("os_2-000002-00000002");
    EXPECT_EQ(esp_->predict_next(), kOldFile);
    esp_->forget_once("os_1-000001-00000001");
    EXPECT_EQ(content(), "none");
    EXPECT_EQ(esp_->predict_next(), "os_3-1.efi");
    EXPECT_NO_THROW(esp_->forget_once("os_1-000001-00000001"));
}

TEST_F(OneShot, OnlyLoadersThatKnowItAreAsked) {
    set_features(kAllButOneShot);
    EXPECT_NE(esp_->why_no_trial().find("does not know"), std::string::npos);
    variables_.write(file("LoaderFeatures"), "short");
    EXPECT_NE(esp_->why_no_trial().find("LoaderFeatures"), std::string::npos);
    std::filesystem::remove(variables_ / file("LoaderFeatures"));
    EXPECT_NE(esp_->why_no_trial().find("LoaderFeatures"), std::string::npos);
    esp_->consult_variables(dir_ / "none");
    EXPECT_NE(esp_->why_no_trial(), "");
    EXPECT_EQ(code_of([&] { esp_->try_once("os_1-000001-00000001"); }), ErrorCode::Unsupported);
}

/// So efivarfs has them once they are there.
TEST_F(OneShot, AnImmutableVariableIsReplacedAndRemoved) {
    const std::string why = FileFlags::missing_in(variables_.path());
    if (!why.empty()) GTEST_SKIP() << why;
    FileFlags flags;
    for (const bool removing : {false, true}) {
        variables_.write(file("LoaderEntryOneShot"), variable_text(removing ? kPattern : "old*"));
        flags.add(variables_ / file("LoaderEntryOneShot"));
        if (removing) {
            clear_one_shot(variables_.path(), kPattern);
        } else {
            set_one_shot(variables_.path(), kPattern);
        }
        EXPECT_EQ(content(), removing ? "none" : variable_text(kPattern));
    }
}

TEST_F(OneShot, WhatCannotBeWrittenIsSaid) {
    std::filesystem::create_directories(variables_ / (file("LoaderEntryOneShot") + "/in"));
    EXPECT_EQ(code_of([&] { set_one_shot(variables_.path(), kPattern); }), ErrorCode::Unsupported);
}

/// What a trial needs once it is over: the entries that have to go behind it.
TEST_F(OneShot, TheEntriesAheadAreThoseThatLoadersTakeFirst) {
    dir_.write(linux_path("os_2-000002-00000002+0-3.efi"), uki_text("2"));
    EXPECT_EQ(esp_->ahead_of("os_1-000001-00000001"), (std::vector<std::string>{"os_3-1"}));
    EXPECT_EQ(esp_->ahead_of("os_2-000002-00000002"), (std::vector<std::string>{"os_3-1"}));
    EXPECT_EQ(esp_->ahead_of("os_3-1"), std::vector<std::string>());
    EXPECT_EQ(esp_->ahead_of("os_9"), std::vector<std::string>());
}

TEST_F(OneShot, AnEntryComesFirstWhenTheOnesAheadAreDemoted) {
    const StagedUki staged = stage(*esp_, uki_text("2"), kName);
    const UkiDescription description{"os", "2", "", "OS"};
    EXPECT_EQ(esp_->predict_after(staged, description, {}), "os_3-1.efi");
    EXPECT_EQ(esp_->predict_after(staged, description, {"OS_3-1"}), kFile);
    dir_.write("loader/loader.conf", "default os_3*\n");
    EXPECT_EQ(esp_->predict_after(staged, description, {"os_3-1"}), "os_3-1.efi");
}

}  // namespace
}  // namespace cfs::boot::test
