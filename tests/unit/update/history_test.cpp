// SPDX-License-Identifier: Apache-2.0
#include "update/history.hpp"

#include "support/temp_dir.hpp"
#include "update/state_dir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace cfs::update {
namespace {

using test::TempDir;

constexpr const char* kFile = "state/cfsupdated/history.jsonl";

HistoryEntry entry(const std::string& version, const std::string& result = "done") {
    HistoryEntry out;
    out.kind = "update";
    out.result = result;
    out.time = 1'700'000'000;
    out.from = {"1 \"quoted\"", "aa"};
    out.to = {version, "bb"};
    out.fetched = 5'000'000'000;
    out.reused = 7;
    out.duration = 61'000;
    out.initiator = {"user", 1000};
    return out;
}

HistoryEntry failure(const std::string& error, const std::string& version = "2") {
    HistoryEntry out = entry(version, "failed");
    out.error = error;
    out.message = "it did not answer";
    return out;
}

class History : public testing::Test {
 protected:
    /// Of "to", newest first; kinds of what has none.
    [[nodiscard]] std::vector<std::string> versions() const {
        std::vector<std::string> out;
        for (const auto& one : state_.history())
            out.push_back(one.to.version.empty() ? one.kind : one.to.version);
        return out;
    }

    [[nodiscard]] std::size_t lines() const {
        const std::string text = root_.read(kFile);
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }

    TempDir root_;
    StateDir state_{root_.fd(), true};
};

using Strings = std::vector<std::string>;

TEST_F(History, IsEmptyAtFirst) {
    EXPECT_TRUE(state_.history().empty());
}

TEST_F(History, GivesEachMemberBackNewestFirst) {
    state_.add_history(entry("2"));
    state_.add_history(failure("Network"));
    const auto all = state_.history();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].to_line(), [] {
        HistoryEntry out = failure("Network");
        out.first = out.time;
        return out.to_line();
    }());
    EXPECT_EQ(all[1].kind, "update");
    EXPECT_EQ(all[1].result, "done");
    EXPECT_EQ(all[1].time, 1'700'000'000);
    EXPECT_EQ(all[1].first, 1'700'000'000);
    EXPECT_EQ(all[1].times, 1U);
    EXPECT_EQ(all[1].from, (HistoryVersion{"1 \"quoted\"", "aa"}));
    EXPECT_EQ(all[1].to, (HistoryVersion{"2", "bb"}));
    EXPECT_EQ(all[1].fetched, 5'000'000'000U);
    EXPECT_EQ(all[1].reused, 7U);
    EXPECT_EQ(all[1].duration, 61'000U);
    EXPECT_EQ(all[1].initiator, (Initiator{"user", 1000}));
}

TEST_F(History, IsOurs) {
    state_.add_history(entry("2"));
    EXPECT_EQ(std::filesystem::status(root_ / kFile).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(History, OddBytesAndLongTextsCostNoEntry) {
    HistoryEntry odd = failure("Network", "2\xff\n\x01");
    odd.message = std::string(100'000, 'x');
    state_.add_history(odd);
    HistoryEntry accents = failure("Internal");
    for (int i = 0; i < 1000; ++i)
        accents.message += "\xc3\xa9";
    state_.add_history(accents);
    const auto all = state_.history();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_TRUE(all[0].message.ends_with("\xc3\xa9..."));
    EXPECT_EQ(all[1].to.version, "2?\n\x01");
    EXPECT_EQ(all[1].message.size(), 603U);
    EXPECT_EQ(lines(), 2U);
}

/// A power cut leaves any part of the line that was written last.
TEST_F(History, ATornLastLineIsToldAndCostsNoOther) {
    state_.add_history(entry("2"));
    const std::string one = root_.read(kFile);
    state_.add_history(entry("3"));
    const std::string both = root_.read(kFile);
    for (std::size_t size = one.size() + 1; size < both.size() - 1; size += 7) {
        root_.write(kFile, both.substr(0, size));
        EXPECT_EQ(versions(), (Strings{"unreadable", "2"})) << size;
        state_.add_history(entry("4"));
        EXPECT_EQ(versions(), (Strings{"4", "unreadable", "2"})) << size;
    }
    // All but its line break.
    root_.write(kFile, both.substr(0, both.size() - 1));
    state_.add_history(entry("4"));
    EXPECT_EQ(versions(), (Strings{"4", "3", "2"}));
}

TEST_F(History, ADamagedLineIsToldAndCostsNoOther) {
    state_.add_history(entry("2"));
    for (const std::string& odd : {std::string("\n"),
                                   std::string("{\"kind\": 5}\n"),
                                   std::string(20'000, 'x') + "\n",
                                   std::string(64, '\0') + "\n"}) {
        root_.write(kFile, root_.read(kFile) + odd);
    }
    state_.add_history(entry("3"));
    EXPECT_EQ(versions(),
              (Strings{"3", "unreadable", "unreadable", "unreadable", "unreadable", "2"}));
}

TEST_F(History, IsBoundedAndDropsTheOldestFirst) {
    for (std::size_t i = 1; i <= kMostHistory; ++i)
        state_.add_history(entry(std::to_string(i)));
    EXPECT_EQ(versions().size(), kMostHistory);
    EXPECT_EQ(versions().back(), "1");
    state_.add_history(entry("one more"));
    EXPECT_EQ(versions().size(), kKeptHistory);
    EXPECT_EQ(versions().front(), "one more");
    EXPECT_EQ(versions().back(), std::to_string(kMostHistory - kKeptHistory + 2));
    EXPECT_EQ(lines(), kKeptHistory);
}

TEST_F(History, AFileOfManyMegabytesIsReadFromItsEnd) {
    state_.add_history(entry("2"));
    const std::string line = root_.read(kFile);
    root_.write(kFile, std::string(5'000'000, 'x') + "\n" + line);
    EXPECT_EQ(versions(), (Strings{"2"}));
    state_.add_history(entry("3"));
    EXPECT_EQ(versions(), (Strings{"3", "2"}));
    EXPECT_LT(root_.read(kFile).size(), 10'000U);
}

TEST_F(History, WhatFailsAgainAndAgainIsCounted) {
    state_.add_history(entry("1"));
    HistoryEntry again = failure("Network");
    for (int i = 0; i < 50; ++i) {
        again.time = 1'700'000'000 + i;
        state_.add_history(again);
    }
    auto all = state_.history();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].times, 50U);
    EXPECT_EQ(all[0].first, 1'700'000'000);
    EXPECT_EQ(all[0].time, 1'700'000'049);
    state_.add_history(failure("Busy"));
    state_.add_history(failure("Network"));
    state_.add_history(failure("Network", "3"));
    EXPECT_EQ(state_.history().size(), 5U);
    state_.add_history(entry("3"));
    state_.add_history(entry("3"));
    EXPECT_EQ(state_.history().size(), 7U) << "what succeeded is never one with another";
}

TEST_F(History, WhatCannotBeWrittenStopsNothing) {
    std::filesystem::create_directory(root_ / kFile);
    state_.add_history(entry("2"));
    std::filesystem::remove(root_ / kFile);
    state_.add_history(entry("3"));
    EXPECT_EQ(versions(), (Strings{"3"}));
}

}  // namespace
}  // namespace cfs::update
