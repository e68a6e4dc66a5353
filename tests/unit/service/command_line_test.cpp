// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace cfs::app {
namespace {

CommandLine parse(std::vector<std::string> words) {
    words.insert(words.begin(), "cfsupdated");
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    return parse_command_line(static_cast<int>(words.size()), argv.data());
}

std::string refusal(const std::vector<std::string>& words) {
    try {
        (void)parse(words);
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::InvalidArgs);
        EXPECT_FALSE(e.hint().empty());
        return e.what();
    }
    return "accepted";
}

TEST(DaemonCommandLine, ServesOnTheSystemBusByDefault) {
    const CommandLine line = parse({});
    EXPECT_EQ(line.action, Action::Serve);
    EXPECT_EQ(line.bus, "system");
    EXPECT_TRUE(line.config.ends_with("/cfsupdated/cfsupdated.toml")) << line.config;
}

TEST(DaemonCommandLine, OptionsTakeTheirValueEitherWay) {
    const CommandLine line =
        parse({"--config", "/x.toml", "--bus=unix:path=/b", "--log-level", "debug"});
    EXPECT_EQ(line.config, "/x.toml");
    EXPECT_EQ(line.bus, "unix:path=/b");
    EXPECT_EQ(line.log_level, log::Level::Debug);
}

TEST(DaemonCommandLine, VerbsOfTheBootMayHaveOptionsOnBothSides) {
    EXPECT_EQ(parse({"boot-check"}).action, Action::BootCheck);
    EXPECT_EQ(parse({"mark-good", "--config=/x.toml"}).config, "/x.toml");
    EXPECT_EQ(parse({"boot-deadline"}).action, Action::BootDeadline);
    EXPECT_EQ(parse({"finalize"}).action, Action::Finalize);
    EXPECT_EQ(parse({"finalize-failed"}).action, Action::FinalizeFailed);
    const CommandLine line = parse({"--log-level=warn", "boot-failed", "--reason", "red"});
    EXPECT_EQ(line.action, Action::BootFailed);
    EXPECT_EQ(line.reason, "red");
    EXPECT_EQ(line.log_level, log::Level::Warn);
}

TEST(DaemonCommandLine, WrongWordsAreNamed) {
    EXPECT_EQ(refusal({"--colour"}), "unknown option '--colour'");
    EXPECT_EQ(refusal({"--bus", "session", "--config"}), "option '--config' needs a value");
    EXPECT_EQ(refusal({"update"}), "unexpected argument 'update'");
    EXPECT_EQ(refusal({"boot-check", "now"}), "unexpected argument 'now'");
    EXPECT_EQ(refusal({"mark-good", "--reason", "x"}), "--reason belongs to boot-failed");
    EXPECT_EQ(refusal({"--log-level=loud"}),
              "--log-level: expected debug, info, warn or error, found 'loud'");
}

TEST(DaemonCommandLine, TheHelpNamesEveryOption) {
    for (const char* option : {"--config",
                               "--bus",
                               "--log-level",
                               "--print-config",
                               "--version",
                               "--help",
                               "boot-check",
                               "mark-good",
                               "boot-failed",
                               "--reason",
                               "boot-deadline",
                               "finalize",
                               "finalize-failed"}) {
        EXPECT_NE(help_text().find(option), std::string::npos) << option;
    }
}

}  // namespace
}  // namespace cfs::app
