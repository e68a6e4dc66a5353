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

TEST(Table, CountsCharactersNotBytes) {
    Table table({"N", "X"});
    table.add({"\u00e9\u00e9", "1"});
    EXPECT_EQ(table.lines(80)[0], "N   X");
}

}  // namespace
}  // namespace cfs::client
