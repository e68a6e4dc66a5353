// SPDX-License-Identifier: Apache-2.0
#include "initrd/setup_config.hpp"

#include "support/expect_error.hpp"

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <optional>
#include <ostream>
#include <string>

namespace cfs::initrd {
namespace {

struct Row {
    const char* name;
    const char* text;
    SetupConfig wanted;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << row.name;
}

const Row kRows[] = {
    {"Empty", "", {}},
    {"Comments", "# nothing\n\n  # at all\n", {}},
    {"OtherTables", "[other]\nmount = \"none\"\nx = [1, 2]\n[etc.more]\nmount = 'none'\n", {}},
    {"Bind", "[etc]\nmount = \"bind\"\n[var]\nmount = \"bind\"\n", {}},
    {"EtcOverlay", "[etc]\nmount = \"overlay\"\n", {MountKind::Overlay, MountKind::Bind, false}},
    {"EtcTransient", "[etc]\ntransient = true\n", {MountKind::Transient, MountKind::Bind, false}},
    {"NotTransient", "[etc]\ntransient=false\n", {}},
    {"TransientWins",
     "[etc]\nmount = \"bind\"\ntransient = true",
     {MountKind::Transient, MountKind::Bind, false}},
    {"VarNone", "[var]\nmount = 'none'\n", {MountKind::Bind, MountKind::None, false}},
    {"VarTransient",
     "[ var ]\r\n  mount\t=\t\"transient\" # a comment\r\n",
     {MountKind::Bind, MountKind::Transient, false}},
    {"Root", "[root]\ntransient = true\n", {MountKind::Bind, MountKind::Bind, true}},
    {"All",
     "title = \"x # y\"\n[root]\ntransient = false\n[etc]\nmount = \"none\"\n[var]\n"
     "mount = \"overlay\"\n",
     {MountKind::None, MountKind::Overlay, false}},
    {"Dotted",
     "etc.mount = \"none\"\nvar . transient = true\nother.etc = 1\n",
     {MountKind::None, MountKind::Transient, false}},
    {"HashInAString",
     "a = '#'\n[etc]\nnote = \"#\"\nmount = \"none\"",
     {MountKind::None, MountKind::Bind, false}},
};

/// What a whole TOML parser finds in the same text.
MountKind kind_by_toml(const toml::table& document, const char* table) {
    if (document[table]["transient"].value_or(false)) return MountKind::Transient;
    const auto word = document[table]["mount"].value<std::string>();
    for (const auto kind :
         {MountKind::None, MountKind::Bind, MountKind::Overlay, MountKind::Transient}) {
        if (word && *word == to_string(kind)) return kind;
    }
    EXPECT_FALSE(word);
    return MountKind::Bind;
}

class SetupConfigText : public testing::TestWithParam<Row> {};

TEST_P(SetupConfigText, IsReadAsTomlIs) {
    const SetupConfig found = parse_setup_config(GetParam().text);
    EXPECT_EQ(found, GetParam().wanted);
    const toml::table document = toml::parse(std::string_view(GetParam().text));
    EXPECT_EQ(found.etc, kind_by_toml(document, "etc"));
    EXPECT_EQ(found.var, kind_by_toml(document, "var"));
    EXPECT_EQ(found.root_transient, document["root"]["transient"].value_or(false));
}

INSTANTIATE_TEST_SUITE_P(All, SetupConfigText, testing::ValuesIn(kRows), [](const auto& row) {
    return std::string(row.param.name);
});

struct BadRow {
    const char* name;
    const char* text;
    const char* says;
};

std::ostream& operator<<(std::ostream& out, const BadRow& row) {
    return out << row.name;
}

const BadRow kBad[] = {
    {"UnknownKind", "[etc]\nmount = \"elsewhere\"\n", "line 2: 'mount' is"},
    {"KindWithoutQuotes", "[var]\n\nmount = none\n", "line 3: 'mount' is"},
    {"NoBoolean", "[etc]\ntransient = \"true\"\n", "line 2: 'transient' is true or false"},
    {"Twice", "[etc]\nmount = \"none\"\nmount = \"bind\"\n", "line 3: 'mount' is there twice"},
    {"TwiceInTwoTables",
     "[etc]\ntransient = true\n[var]\n[etc]\ntransient = false",
     "line 5: 'transient' is there twice"},
    {"InlineTable", "etc = { mount = \"none\" }\n", "line 1: write it as a table"},
    {"ListOfTables", "[[etc]]\nmount = \"none\"\n", "line 1: one table is expected"},
    {"NoEnd", "[etc\nmount = \"none\"\n", "line 1: the table's name has no ']'"},
    {"NoValue", "[etc]\nmount\n", "line 2: 'key = value' is expected"},
};

class BadSetupConfig : public testing::TestWithParam<BadRow> {};

TEST_P(BadSetupConfig, IsRefusedByLine) {
    test::expect_error(
        ErrorCode::BadFormat, GetParam().says, [] { (void)parse_setup_config(GetParam().text); });
}

INSTANTIATE_TEST_SUITE_P(All, BadSetupConfig, testing::ValuesIn(kBad), [](const auto& row) {
    return std::string(row.param.name);
});

}  // namespace
}  // namespace cfs::initrd
