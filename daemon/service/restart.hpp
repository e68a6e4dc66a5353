// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "bus/bus_pump.hpp"
#include "update/status.hpp"

#include <sdbus-c++/sdbus-c++.h>

#include <functional>
#include <memory>
#include <optional>

namespace cfs::service {

using bus::BusPump;

/// Starts the machine again, by logind (org.freedesktop.login1(5)). Main thread only. `then` is
/// called from the loop with what went wrong, unless this goes first.
class Restart {
 public:
    using Then = std::function<void(const std::optional<Error>& failed)>;

    /// Makes the soft reboot that comes lead to an image; to none with "". May throw.
    using Lead = std::function<void(const std::string& image)>;

    /// \pre `connection` and `pump` outlive this
    Restart(sdbus::IConnection& connection, BusPump& pump, Lead lead);
    ~Restart();

    /// By the firmware. logind lets root pass inhibitors: the caller has looked at them.
    void reboot(Then then);

    /// To what waits for a boot, with kernel and initrd going on. Inhibitors count.
    /// \throws NotFound when nothing waits, Unsupported when that needs the firmware, what `lead`
    /// throws
    void soft_reboot(const update::Status& status, Then then);

 private:
    std::unique_ptr<sdbus::IProxy> login_;
    BusPump& pump_;
    Lead lead_;
};

}  // namespace cfs::service
