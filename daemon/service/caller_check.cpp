// SPDX-License-Identifier: Apache-2.0
#include "service/caller_check.hpp"

#include "base/log.hpp"

#include <unistd.h>

#include <cstdint>
#include <utility>

namespace cfs::service {
namespace {

std::optional<Error> judge(const bus::CallError& failed, std::uint32_t uid) {
    if (failed) {
        return Error(ErrorCode::AccessDenied,
                     "the bus does not say who calls: " + std::string(failed->getMessage()));
    }
    if (uid == 0 || uid == ::geteuid()) return std::nullopt;
    return Error(ErrorCode::AccessDenied,
                 "only root may do this; the caller has user id " + std::to_string(uid),
                 "Run the command as root, e.g. with sudo.");
}

}  // namespace

CallerCheck::CallerCheck(sdbus::IConnection& connection, BusPump& pump)
    : pump_(pump),
      bus_daemon_(sdbus::createProxy(connection,
                                     bus::ServiceName{"org.freedesktop.DBus"},
                                     sdbus::ObjectPath{"/org/freedesktop/DBus"})) {
    bus::finish_registration(*bus_daemon_);
}

void CallerCheck::check(const std::string& sender, Verdict then) {
    bus_daemon_->callMethodAsync("GetConnectionUnixUser")
        .onInterface("org.freedesktop.DBus")
        .withArguments(sender)
        .uponReplyInvoke([then = std::move(then)](bus::CallError failed, std::uint32_t uid) {
            // Nothing may leave a callback of the bus library.
            try {
                then(judge(failed, uid));
            } catch (const std::exception& e) {
                log::error(std::string("handling a call failed: ") + e.what());
            }
        });
    pump_.kick();
}

}  // namespace cfs::service
