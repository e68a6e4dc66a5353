// SPDX-License-Identifier: Apache-2.0
#include "service/log_control.hpp"

#include "base/log_level.hpp"
#include "service/bus.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace cfs::service {
namespace {

constexpr const char* kPath = "/org/freedesktop/LogControl1";
constexpr std::size_t kMaxShown = 40;

// syslog's eight levels; the first word of each of ours is the one that is shown.
constexpr std::array<std::pair<std::string_view, log::Level>, 8> kLevels{
    {{"debug", log::Level::Debug},
     {"info", log::Level::Info},
     {"notice", log::Level::Info},
     {"warning", log::Level::Warn},
     {"err", log::Level::Error},
     {"crit", log::Level::Error},
     {"alert", log::Level::Error},
     {"emerg", log::Level::Error}}};

}  // namespace

LogControl::LogControl(sdbus::IConnection& connection)
    : AdaptorInterfaces(connection, sdbus::ObjectPath{kPath}) {
    registerAdaptor();
}

LogControl::~LogControl() {
    unregisterAdaptor();
}

std::string LogControl::LogLevel() {
    for (const auto& [word, level] : kLevels) {
        if (level == log::level()) return std::string(word);
    }
    return "emerg";
}

void LogControl::LogLevel(const std::string& value) {
    for (const auto& [word, level] : kLevels) {
        if (word != value) continue;
        log::info("the log level is now " + value);
        return log::set_level(level);
    }
    throw to_bus_error({ErrorCode::InvalidArgs,
                        "'" + bus_text(value, kMaxShown) + "' is no log level",
                        "They are debug, info, notice, warning, err, crit, alert and emerg."});
}

std::string LogControl::LogTarget() {
    return log::goes_to_journal() ? "journal" : "console";
}

std::string LogControl::SyslogIdentifier() {
    return "cfsupdated";
}

}  // namespace cfs::service
