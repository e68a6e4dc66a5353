// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/command_line.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

namespace cfs::sysupdate {
namespace {

CommandLine parse(std::vector<std::string> words) {
    words.insert(words.begin(), "cfsupdated-sysupdate1");
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    return parse_command_line(static_cast<int>(words.size()), argv.data());
}

TEST(SysupdateCommandLine, Defaults) {
    const CommandLine line = parse({});
    EXPECT_EQ(line.action, Action::Serve);
    EXPECT_EQ(line.bus, "system");
    EXPECT_EQ(line.run_directory, "/run/cfsupdated-sysupdate1");
    EXPECT_EQ(line.idle_exit.count(), 0);
}

TEST(SysupdateCommandLine, Options) {
    const CommandLine line =
        parse({"--bus", "session", "--run=/x", "--idle-exit", "1.5", "--log-level", "debug"});
    EXPECT_EQ(line.bus, "session");
    EXPECT_EQ(line.run_directory, "/x");
    EXPECT_EQ(line.idle_exit.count(), 1500);
    EXPECT_EQ(line.log_level, log::Level::Debug);
    EXPECT_EQ(parse({"--help"}).action, Action::ShowHelp);
    EXPECT_EQ(parse({"--version"}).action, Action::ShowVersion);
}

TEST(SysupdateCommandLine, Mistakes) {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"--what"},
                                               {"--bus"},
                                               {"verb"},
                                               {"--run", "x"},
                                               {"--idle-exit", "-1"},
                                               {"--idle-exit", "1s"},
                                               {"--idle-exit", "nan"},
                                               {"--idle-exit", "1e300"},
                                               {"--log-level", "loud"}}) {
        try {
            (void)parse(words);
            ADD_FAILURE() << words.front();
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::InvalidArgs) << words.front();
        }
    }
}

// Every option of the help is one, and the other way round.
TEST(SysupdateCommandLine, TheHelpIsNarrow) {
    const std::string text = help_text();
    for (const char* option :
         {"--bus", "--run", "--idle-exit", "--log-level", "--version", "--help"})
        EXPECT_NE(text.find(option), std::string::npos) << option;
}

}  // namespace
}  // namespace cfs::sysupdate
