// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "service/bus_pump.hpp"
#include "service/reply.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace cfs::service {

/// Says who may change the system: root, and the user that the daemon itself runs as (a private or
/// session bus). The D-Bus policy file refuses others before; this holds where it is missing. Main
/// thread only.
class CallerCheck {
 public:
    /// nullopt: allowed; else AccessDenied, or what kept us from finding out.
    using Verdict = std::function<void(const std::optional<Error>&)>;

    CallerCheck(sdbus::IConnection& connection, BusPump& pump);

    /// Asks the bus daemon whose connection `sender` is; `then` runs later, from the loop. It is
    /// destroyed without being called when the check is destroyed first.
    void check(const std::string& sender, Verdict then);

    /// Runs `f(*reply)` once `sender` is found to be allowed; a refusal, and what `f` throws,
    /// answers the call.
    template <typename R, typename F>
    void guard_call(const std::string& sender, const std::shared_ptr<R>& reply, F f) {
        guard(*reply, [&] {
            check(sender, [reply, f = std::move(f)](const std::optional<Error>& refused) {
                guard(*reply, [&] {
                    if (refused) throw Error(*refused);
                    f(*reply);
                });
            });
        });
    }

 private:
    BusPump& pump_;
    std::unique_ptr<sdbus::IProxy> bus_daemon_;
};

}  // namespace cfs::service
