// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/log.hpp"

#include <chrono>
#include <string>

namespace cfs::app {

enum class Action {
    Serve,
    PrintConfig,
    ShowVersion,
    ShowHelp,
    BootCheck,
    MarkGood,
    BootFailed,
    BootDeadline,
    Finalize,
    FinalizeFailed,
    SoftReboot
};

struct CommandLine {
    Action action = Action::Serve;
    std::string config;
    std::string bus = "system";
    log::Level log_level = log::Level::Info;
    std::chrono::milliseconds idle_exit{0};  ///< 0: never
    std::string reason;                      ///< of boot-failed; empty: what boot-check found
};

/// \throws InvalidArgs naming the argument
[[nodiscard]] CommandLine parse_command_line(int argc, char** argv);

[[nodiscard]] std::string help_text();

/// "0.1.0"
[[nodiscard]] std::string version();

}  // namespace cfs::app
