// SPDX-License-Identifier: Apache-2.0
#include "client/output/history_text.hpp"

#include "client/output/human.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace cfs::client {
namespace {

constexpr std::int64_t kTime = 1'700'000'000;

std::vector<HistoryEntry> some_history() {
    HistoryEntry failed;
    failed.kind = "rollback";
    failed.result = "interrupted";
    failed.time = kTime;
    failed.from = {"2026.11.22-rc1+build.7", "aa"};
    failed.to = {"2026.11.20-rc1+build.6", "bb"};
    failed.message = "the machine stopped meanwhile, and what was begun is finished at this start";
    failed.fetched_bytes = 1000 << 20;
    failed.duration_ms = 3'723'000;
    failed.initiator = "recovery";
    HistoryEntry again;
    again.kind = "update";
    again.result = "failed";
    again.time = kTime;
    again.first = kTime - 86400;
    again.times = 12;
    again.error = "Network";
    again.message = "no route to it";
    again.initiator = "user";
    again.uid = 1000;
    return {failed, again};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);)
        out.push_back(line);
    return out;
}

TEST(HistoryText, Fits80ColumnsAndShortensVersionsOnly) {
    const auto lines = lines_of(history_text(some_history(), 80, false));
    for (const std::string& line : lines)
        EXPECT_LE(columns(line), 80U) << line;
    const std::string row = lines.at(1);
    for (const char* whole : {"rollback", "interrupted", "1:02:03", "recovery"})
        EXPECT_NE(row.find(whole), std::string::npos) << whole << " in " << row;
    EXPECT_NE(row.find(human_time(kTime)), std::string::npos) << row;
}

TEST(HistoryText, IsShownInFullWhereThereIsRoom) {
    const std::string text = history_text(some_history(), 200, false);
    EXPECT_NE(text.find("2026.11.22-rc1+build.7"), std::string::npos) << text;
    EXPECT_NE(text.find("    the machine stopped meanwhile"), std::string::npos) << text;
    EXPECT_NE(text.find("; 1000.0 MiB fetched, 0 B here already\n"), std::string::npos) << text;
}

TEST(HistoryText, SaysWhyAndHowOften) {
    const std::string text = history_text(some_history(), 80, false);
    EXPECT_NE(text.find("    Network: no route to it; 12 times since " + human_time(kTime - 86400)),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("uid 1000"), std::string::npos) << text;
}

TEST(HistoryText, HasNoColourUnlessAsked) {
    EXPECT_EQ(history_text(some_history(), 80, false).find('\x1b'), std::string::npos);
    EXPECT_NE(history_text(some_history(), 80, true).find('\x1b'), std::string::npos);
}

TEST(HistoryText, NothingIsSaidInWords) {
    EXPECT_EQ(history_text({}, 80, false), "nothing was done yet\n");
}

}  // namespace
}  // namespace cfs::client
