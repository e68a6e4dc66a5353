// SPDX-License-Identifier: Apache-2.0
#include "client/output/table.hpp"

#include "client/output/human.hpp"

#include <gtest/gtest.h>

namespace cfs::client {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
    Table table({"A", "LONG"});
    table.add({"wide cell", "x"});
    EXPECT_EQ(table.lines(80), (std::vector<std::string>{"A          LONG", "wide cell  x"}));
}

TEST(Table, MissingCellsAreEmptyAndNothingTrails) {
    Table table({"A", "B", "C"});
    table.add({"1"});
    EXPECT_EQ(table.lines(80)[1], "1");
}

TEST(Table, TheWidestColumnIsShortenedUntilItFits) {
    Table table({"VERSION", "UKI"});
    table.add({"1.2.3", std::string(200, 'u')});
    for (const std::string& line : table.lines(80))
        EXPECT_LE(columns(line), 80U);
    EXPECT_TRUE(table.lines(80)[1].ends_with("..."));
    EXPECT_TRUE(table.lines(80)[1].starts_with("1.2.3    u"));
}

TEST(Table, ChosenColumnsAreShortenedBeforeOthers) {
    Table table({"WHEN", "TEXT", "MORE"}, {1});
    table.add({"2026-11-22 12:00", "a longer text", "b"});
    EXPECT_EQ(table.lines(33)[1], "2026-11-22 12:00  a long...  b");
    EXPECT_EQ(table.lines(28)[1], "2026-11-22 12:00  a...  b");
    EXPECT_EQ(table.lines(24)[1], "2026-11-2...  a...  b") << "nothing else is left";
}

TEST(Table, CountsCharactersNotBytes) {
    Table table({"N", "X"});
    table.add({"\u00e9\u00e9", "1"});
    EXPECT_EQ(table.lines(80)[0], "N   X");
}

}  // namespace
}  // namespace cfs::client
