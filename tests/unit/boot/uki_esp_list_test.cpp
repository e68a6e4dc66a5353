// SPDX-License-Identifier: Apache-2.0
#include "esp_fixture.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <map>
#include <string>

namespace cfs::boot::test {
namespace {

class UkiEspList : public EspTest {
 protected:
    std::map<std::string, LoaderEntry> by_file() {
        std::map<std::string, LoaderEntry> out;
        for (const LoaderEntry& entry : esp_->list())
            out[entry.file] = entry;
        return out;
    }

    /// What the loader would boot if "2" were armed now.
    std::string after_version(const std::string& version) {
        const StagedUki staged = stage(*esp_, uki_text(version), kName);
        const std::string next = esp_->predict_after(staged, {"os", version, "", "OS"}, {});
        esp_->unstage(kName.stem);
        return next;
    }
};

TEST_F(UkiEspList, EntriesCarryWhatTheLoaderReads) {
    const auto entries = esp_->list();
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].file, kOldFile);
    EXPECT_EQ(entries[0].name, (EntryName{"os_1-000001-00000001", std::nullopt}));
    EXPECT_EQ(entries[0].sort_key, "os");
    EXPECT_EQ(entries[0].version, "1");
    EXPECT_EQ(entries[0].size, uki_text("1").size());
    EXPECT_TRUE(entries[0].readable);
    EXPECT_EQ(entries[0].problem, "");
}

TEST_F(UkiEspList, OddEntriesAreShownWithTheirProblem) {
    dir_.write(linux_path("empty.efi"), "");
    dir_.write(linux_path("garbage.efi"), "MZ");
    dir_.write(linux_path("broken.efi"), "ERROR");
    ASSERT_EQ(::mkdir((dir_ / linux_path("dir.efi")).c_str(), 0755), 0);
    ASSERT_EQ(::symlink(kOldFile, (dir_ / linux_path("link.efi")).c_str()), 0);
    ASSERT_EQ(::mkfifo((dir_ / linux_path("fifo.efi")).c_str(), 0600), 0);
    const auto entries = by_file();
    ASSERT_EQ(entries.size(), 7U);
    for (const auto& [file, entry] : entries) {
        EXPECT_EQ(entry.readable, file == kOldFile) << file;
        EXPECT_EQ(entry.problem.empty(), file == kOldFile) << file;
    }
    EXPECT_EQ(entries.at("broken.efi").problem, "no PE header");
    EXPECT_EQ(esp_->predict_next(), kOldFile);
}

TEST_F(UkiEspList, NamesThatLoadersSkipAreNotEntries) {
    for (const char* file : {".hidden.efi", "auto-x.efi", "AUTO-y.efi", "notes.txt", "a.efi.bak"}) {
        dir_.write(linux_path(file), uki_text("9"));
    }
    EXPECT_EQ(esp_->list().size(), 1U);
}

TEST_F(UkiEspList, UpperCaseIsListedAsLoadersDoAndFlagged) {
    dir_.write(linux_path("OS_9+1-0.EFI"), uki_text("9"));
    const auto entries = by_file();
    EXPECT_TRUE(entries.at("OS_9+1-0.EFI").readable);
    EXPECT_NE(entries.at("OS_9+1-0.EFI").problem, "");
    EXPECT_EQ(esp_->predict_next(), "OS_9+1-0.EFI");
}

TEST_F(UkiEspList, TwinsAreFlagged) {
    dir_.write(linux_path("os_1-000001-00000001+3-0.efi"), uki_text("1"));
    for (const LoaderEntry& entry : esp_->list()) {
        EXPECT_TRUE(entry.readable);
        EXPECT_NE(entry.problem.find("second time"), std::string::npos) << entry.file;
    }
}

TEST_F(UkiEspList, NewerVersionWillBeBooted) {
    EXPECT_EQ(after_version("2"), kFile);
}

TEST_F(UkiEspList, EqualVersionWinsByItsSerial) {
    EXPECT_EQ(after_version("1"), kFile);
}

TEST_F(UkiEspList, OlderVersionWillNotBeBooted) {
    EXPECT_EQ(after_version("0.9"), kOldFile);
}

TEST_F(UkiEspList, BadNewerEntryDoesNotStandInTheWay) {
    dir_.write(linux_path("os_9-000001-00000009+0-2.efi"), uki_text("9"));
    EXPECT_EQ(after_version("2"), kFile);
}

TEST_F(UkiEspList, ForeignEntryThatSortsFirstIsNoticed) {
    dir_.write("vmlinuz", "kernel");
    dir_.write("loader/entries/alien.conf", "sort-key aaa\nversion 1\nlinux /vmlinuz\n");
    EXPECT_EQ(after_version("2"), "alien.conf");
    EXPECT_EQ(esp_->predict_next(), "alien.conf");
}

TEST_F(UkiEspList, DefaultInLoaderConfIsNoticed) {
    dir_.write("loader/loader.conf", "timeout 0\ndefault os_1*\n");
    EXPECT_EQ(after_version("2"), kOldFile);
}

TEST_F(UkiEspList, LoadersThatDisagreeMeanNo) {
    // Only loaders that keep the counter in the id match this pattern.
    dir_.write("loader/loader.conf", std::string("default ") + kFile + "\n");
    EXPECT_EQ(after_version("0.9"), kOldFile);
    // And here only those that do not.
    dir_.write("loader/loader.conf", "default " + kName.stem + ".efi\n");
    EXPECT_EQ(after_version("0.9"), kOldFile);
}

TEST_F(UkiEspList, OfTwinsTheFirstInTheDirectoryIsBooted) {
    // What systemd-boot 257 does, tests/vm/loaders.py shows it; 252 has different names for them.
    for (int i = 2; i < 8; ++i) {
        const std::string stem = "os_" + std::to_string(i) + "-1";
        dir_.write(linux_path(stem + ".efi"), uki_text(std::to_string(i)));
        dir_.write(linux_path(stem + "+3-0.efi"), uki_text(std::to_string(i)));
        std::string first;
        for (const auto& each : std::filesystem::directory_iterator(dir_ / "EFI/Linux")) {
            const std::string name = each.path().filename();
            if (first.empty() && name.starts_with(stem)) first = name;
        }
        EXPECT_EQ(esp_->predict_by_order(EntryIds::WithoutCounter), first);
        EXPECT_EQ(esp_->predict_by_order(EntryIds::WithCounter), stem + "+3-0.efi");
    }
}

/// With EFI variables in a directory, as efivarfs shows them.
class UkiEspVariables : public UkiEspList {
 protected:
    UkiEspVariables() {
        dir_.write(linux_path("os_3-1.efi"), uki_text("3"));
        variables_.write(".keep", "");
        esp_->consult_variables(variables_.path());
    }

    void set(const std::string& name, const std::string& text) {
        std::string content("\x07\0\0\0", 4);
        for (const char c : text + std::string(1, '\0'))
            content += std::string{c, '\0'};
        variables_.write(name + "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", content);
    }

    TempDir variables_;
};

TEST_F(UkiEspVariables, AStandingChoiceComesBeforeVersionsAndLoaderConf) {
    EXPECT_EQ(esp_->predict_next(), "os_3-1.efi");
    dir_.write("loader/loader.conf", "default os_3*\n");
    set("LoaderEntryDefault", "os_1*");
    EXPECT_EQ(esp_->predict_next(), kOldFile);
    EXPECT_EQ(after_version("4"), kOldFile);
    set("LoaderEntryDefault", "OS_3-1.EFI");
    EXPECT_EQ(esp_->predict_next(), "os_3-1.efi");
    // One that selects nothing decides nothing.
    set("LoaderEntryDefault", "windows*");
    EXPECT_EQ(esp_->predict_next(), "os_3-1.efi");
}

TEST_F(UkiEspVariables, AStandingChoiceOverridesTriesThatAreUsedUp) {
    dir_.write(linux_path("os_4-1+0-3.efi"), uki_text("4"));
    EXPECT_EQ(esp_->predict_next(), "os_3-1.efi");
    set("LoaderEntryDefault", "os_4*");
    EXPECT_EQ(esp_->predict_next(), "os_4-1+0-3.efi");
}

TEST_F(UkiEspVariables, WhatWasSavedIsTheEntryBootedLast) {
    set("LoaderEntryDefault", "@saved");
    EXPECT_EQ(esp_->predict_next(), "os_3-1.efi");
    set("LoaderEntryLastBooted", kOldFile);
    EXPECT_EQ(esp_->predict_next(), kOldFile);
    EXPECT_EQ(after_version("4"), kOldFile);
}

TEST_F(UkiEspVariables, AOneShotChoiceIsForOneBoot) {
    set("LoaderEntryOneShot", "os_1*.efi");
    EXPECT_EQ(esp_->predict_next(), kOldFile);
    EXPECT_EQ(after_version("4"), kFile);
    set("LoaderEntryDefault", "os_3*");
    EXPECT_EQ(esp_->predict_next(), kOldFile);
    EXPECT_EQ(after_version("4"), "os_3-1.efi");
}

TEST_F(UkiEspVariables, VariablesThatMakeNoSenseDecideNothing) {
    const std::string name = "LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
    for (const std::string& content : {std::string(),
                                       std::string("\x07\0", 2),
                                       std::string("\x07\0\0\0o", 5),
                                       std::string(100, '\xff'),
                                       std::string(100000, '*')}) {
        variables_.write(name, content);
        EXPECT_EQ(esp_->predict_next(), "os_3-1.efi") << content.size();
    }
    esp_->consult_variables(dir_ / "none");
    EXPECT_EQ(esp_->predict_next(), "os_3-1.efi");
}

TEST_F(UkiEspList, SpaceIsCountedInClustersWithAReserve) {
    constexpr std::uint64_t kMiB = 1 << 20;
    EXPECT_EQ(space_needed({}, 4096), 2 * 4096 + kMiB);
    EXPECT_EQ(space_needed({1, 4096, 4097}, 4096), 6 * 4096 + kMiB);
    EXPECT_EQ(space_needed({1000 * kMiB}, 32768), 1010 * kMiB + 2 * 32768);
    const auto most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(space_needed({most, most}, 4096), most);
    EXPECT_EQ(space_needed({5}, 0), 5 + 2 + kMiB);
}

TEST_F(UkiEspList, SpaceIsThatOfTheFileSystem) {
    const EspSpace space = esp_->space();
    EXPECT_GT(space.cluster_bytes, 0U);
    EXPECT_LE(space.free_bytes, space.total);
    EXPECT_NO_THROW(esp_->check_space({.uki = 1}));
}

}  // namespace
}  // namespace cfs::boot::test
