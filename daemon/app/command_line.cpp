// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include "base/error.hpp"
#include "settings/units.hpp"

#include <getopt.h>

#include <array>
#include <string_view>
#include <utility>

namespace cfs::app {
namespace {

constexpr const char* kSeeHelp = "'cfsupdated --help' lists the options.";

enum Option : int {
    Config = 'c',
    Bus = 'b',
    LogLevel = 'l',
    IdleExit = 'i',
    Print = 'p',
    Reason = 'r',
    Version = 'V',
    Help = 'h'
};

const std::array<option, 9> kOptions{{{"config", required_argument, nullptr, Config},
                                      {"bus", required_argument, nullptr, Bus},
                                      {"log-level", required_argument, nullptr, LogLevel},
                                      {"idle-exit", required_argument, nullptr, IdleExit},
                                      {"print-config", no_argument, nullptr, Print},
                                      {"reason", required_argument, nullptr, Reason},
                                      {"version", no_argument, nullptr, Version},
                                      {"help", no_argument, nullptr, Help},
                                      {nullptr, 0, nullptr, 0}}};

log::Level level_from(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, log::Level>, 4> kLevels{
        {{"debug", log::Level::Debug},
         {"info", log::Level::Info},
         {"warn", log::Level::Warn},
         {"error", log::Level::Error}}};
    for (const auto& [word, level] : kLevels) {
        if (word == name) return level;
    }
    throw Error(
        ErrorCode::InvalidArgs,
        "--log-level: expected debug, info, warn or error, found '" + std::string(name) + "'",
        kSeeHelp);
}

std::chrono::milliseconds duration_from(const std::string& text) {
    if (const auto duration = settings::parse_duration(text)) return *duration;
    throw Error(ErrorCode::InvalidArgs,
                "--idle-exit: expected a duration like 5min, found '" + text + "'",
                kSeeHelp);
}

[[noreturn]] void refuse(std::string_view word) {
    throw Error(
        ErrorCode::InvalidArgs, "unexpected argument '" + std::string(word) + "'", kSeeHelp);
}

Action action_from(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, Action>, 7> kVerbs{
        {{"boot-check", Action::BootCheck},
         {"mark-good", Action::MarkGood},
         {"boot-failed", Action::BootFailed},
         {"boot-deadline", Action::BootDeadline},
         {"finalize", Action::Finalize},
         {"finalize-failed", Action::FinalizeFailed},
         {"soft-reboot", Action::SoftReboot}}};
    for (const auto& [verb, action] : kVerbs) {
        if (word == verb) return action;
    }
    refuse(word);
}

void apply(int option, const char* value, CommandLine& line) {
    switch (option) {
        case Config:
            line.config = value;
            return;
        case Bus:
            line.bus = value;
            return;
        case LogLevel:
            line.log_level = level_from(value);
            return;
        case IdleExit:
            line.idle_exit = duration_from(value);
            return;
        case Reason:
            line.reason = value;
            return;
        case Print:
            line.action = Action::PrintConfig;
            return;
        case Version:
            line.action = Action::ShowVersion;
            return;
        case Help:
            line.action = Action::ShowHelp;
            return;
        default:
            break;
    }
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
    CommandLine line;
    line.config = CFS_CONFIG_FILE;
    optind = 0;  // start afresh: getopt keeps its place in a global
    for (;;) {
        const int at = optind == 0 ? 1 : optind;
        const int option = ::getopt_long(argc, argv, ":", kOptions.data(), nullptr);
        if (option == -1) break;
        if (option == '?') {
            throw Error(
                ErrorCode::InvalidArgs, std::string("unknown option '") + argv[at] + "'", kSeeHelp);
        }
        if (option == ':') {
            throw Error(ErrorCode::InvalidArgs,
                        std::string("option '") + argv[at] + "' needs a value",
                        kSeeHelp);
        }
        apply(option, optarg, line);
    }
    if (optind < argc) line.action = action_from(argv[optind++]);
    if (optind < argc) refuse(argv[optind]);
    if (!line.reason.empty() && line.action != Action::BootFailed) {
        throw Error(ErrorCode::InvalidArgs, "--reason belongs to boot-failed", kSeeHelp);
    }
    return line;
}

std::string help_text() {
    return "Usage: cfsupdated [OPTION]... [VERB]\n"
           "The update daemon for image-based systems with composefs roots; see cfsupdated(8).\n"
           "\n"
           "      --config FILE      settings (default: " CFS_CONFIG_FILE
           "),\n"
           "                         then FILE.d/*.toml\n"
           "      --bus BUS          system (default), session, or a D-Bus address\n"
           "      --idle-exit TIME   end when nobody wants anything for so long, e.g. 5min\n"
           "                         (default: never)\n"
           "      --log-level LEVEL  debug, info (default), warn or error\n"
           "      --print-config     print the settings that result, and exit\n"
           "      --version          print the version, and exit\n"
           "      --help             print this, and exit\n"
           "\n"
           "Verbs that units run at boot and at shutdown; without one it serves on the bus:\n"
           "  boot-check             check the health of this boot\n"
           "  mark-good              what runs is proven\n"
           "  boot-failed [--reason TEXT]\n"
           "                         keep why this boot failed; 0: start again, 2: stay\n"
           "  boot-deadline          wait until health.deadline is over, and end with 1\n"
           "  finalize               at shutdown: arm what is staged, merge /etc once more\n"
           "  finalize-failed        say why the last shutdown could not, and end with 1\n"
           "  soft-reboot            before a soft reboot: finalize, and say where it leads\n";
}

std::string version() {
    return CFS_VERSION;
}

}  // namespace cfs::app
