// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/log.hpp"

#include <chrono>
#include <string>

namespace cfs::sysupdate {

enum class Action { Serve, ShowVersion, ShowHelp };

struct CommandLine {
    Action action = Action::Serve;
    std::string bus = "system";
    std::string run_directory = "/run/cfsupdated-sysupdate1";
    log::Level log_level = log::Level::Info;
    std::chrono::milliseconds idle_exit{0};  ///< 0: never
};

/// \throws InvalidArgs naming the argument
[[nodiscard]] CommandLine parse_command_line(int argc, char** argv);

[[nodiscard]] std::string help_text();

}  // namespace cfs::sysupdate
