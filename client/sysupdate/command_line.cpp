// SPDX-License-Identifier: Apache-2.0
#include "client/sysupdate/command_line.hpp"

#include "base/error.hpp"

#include <getopt.h>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace cfs::sysupdate {
namespace {

constexpr const char* kSeeHelp = "'cfsupdated-sysupdate1 --help' lists the options.";
constexpr double kMostSeconds = 1e6;

const std::array<option, 7> kOptions{{{"bus", required_argument, nullptr, 'b'},
                                      {"run", required_argument, nullptr, 'r'},
                                      {"idle-exit", required_argument, nullptr, 'i'},
                                      {"log-level", required_argument, nullptr, 'l'},
                                      {"version", no_argument, nullptr, 'V'},
                                      {"help", no_argument, nullptr, 'h'},
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

std::chrono::milliseconds seconds_from(std::string_view text) {
    double seconds = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, seconds);
    const bool fits = seconds >= 0 && seconds <= kMostSeconds;
    if (read.ec != std::errc{} || read.ptr != end || !fits) {
        throw Error(ErrorCode::InvalidArgs,
                    "--idle-exit: expected seconds like 30, found '" + std::string(text) + "'",
                    kSeeHelp);
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void apply(int option, const char* value, CommandLine& line) {
    switch (option) {
        case 'b':
            line.bus = value;
            return;
        case 'r':
            line.run_directory = value;
            return;
        case 'i':
            line.idle_exit = seconds_from(value);
            return;
        case 'l':
            line.log_level = level_from(value);
            return;
        case 'V':
            line.action = Action::ShowVersion;
            return;
        case 'h':
            line.action = Action::ShowHelp;
            return;
        default:
            break;
    }
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
    CommandLine line;
    optind = 0;  // start afresh: getopt keeps its place in a global
    for (;;) {
        const int at = optind == 0 ? 1 : optind;
        const int option = ::getopt_long(argc, argv, ":", kOptions.data(), nullptr);
        if (option == -1) break;
        if (option == '?' || option == ':') {
            throw Error(
                ErrorCode::InvalidArgs,
                std::string(option == '?' ? "unknown option '" : "no value for '") + argv[at] + "'",
                kSeeHelp);
        }
        apply(option, optarg, line);
    }
    if (optind < argc) {
        throw Error(ErrorCode::InvalidArgs,
                    std::string("unexpected argument '") + argv[optind] + "'",
                    kSeeHelp);
    }
    if (line.run_directory.empty() || line.run_directory.front() != '/') {
        throw Error(ErrorCode::InvalidArgs, "--run: expected an absolute path", kSeeHelp);
    }
    return line;
}

std::string help_text() {
    return "Usage: cfsupdated-sysupdate1 [OPTION]...\n"
           "Serves systemd's interface org.freedesktop.sysupdate1 over cfsupdated; see\n"
           "cfsupdated-sysupdate1(8).\n"
           "\n"
           "      --bus BUS            system (default), session, or a D-Bus address\n"
           "      --run DIRECTORY      for the file that software centers read\n"
           "                           (default: /run/cfsupdated-sysupdate1)\n"
           "      --idle-exit SECONDS  end when nobody wants anything for so long\n"
           "                           (default: never)\n"
           "      --log-level LEVEL    debug, info (default), warn or error\n"
           "      --version            print the version, and exit\n"
           "      --help               print this, and exit\n";
}

}  // namespace cfs::sysupdate
