// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dbus/bus_compat.hpp"

#include <org.freedesktop.LogControl1.adaptor.hpp>
#include <string>

namespace cfs::service {

/// /org/freedesktop/LogControl1: how much the daemon logs, until it ends. Main thread only. The bus
/// library refuses writes of others than root and our own user.
class LogControl final : public sdbus::AdaptorInterfaces<org::freedesktop::LogControl1_adaptor> {
 public:
    explicit LogControl(sdbus::IConnection& connection);
    ~LogControl();

 private:
    std::string LogLevel() override;
    void LogLevel(const std::string& value) override;
    std::string LogTarget() override;
    std::string SyslogIdentifier() override;
};

}  // namespace cfs::service
