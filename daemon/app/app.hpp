// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "settings/settings.hpp"
#include "update/engine.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace cfs::app {

/// Who makes the engine once the settings are known: main's is the real one.
using EngineFactory = std::function<std::unique_ptr<update::Engine>(const settings::Settings&)>;

/// Serves on `bus` until SIGTERM or SIGINT, or until the bus is gone. A job that runs then is
/// cancelled and waited for.
/// \param idle_exit ends, too, when for so long no job ran, nobody called and no inhibitor was
/// held; 0: never \returns the process's exit status: 0 after a signal or when idle, 1 when the bus
/// was lost (logged)
[[nodiscard]] int serve(const settings::Settings& settings,
                        const std::string& bus,
                        std::chrono::milliseconds idle_exit,
                        update::Engine& engine);

/// The whole program: command line, settings, engine, service. Never throws.
[[nodiscard]] int run(int argc, char** argv, const EngineFactory& make_engine) noexcept;

}  // namespace cfs::app
