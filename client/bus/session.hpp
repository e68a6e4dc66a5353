// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"
#include "client/bus/bus_error.hpp"
#include "client/interrupts.hpp"
#include "dbus/bus_compat.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace cfs::client {

/// Runs `call`; what the bus library throws becomes an Error.
template <typename F>
decltype(auto) on_bus(F&& call) {
    try {
        return std::forward<F>(call)();
    } catch (const sdbus::Error& error) {
        throw error_from_bus(error.getName(), error.getMessage());
    }
}

/// The connection, and Ctrl-C. Everything happens on the thread that made it: calls block, signals
/// are handled inside wait() only. Make proxies of connection() by object_proxy(), register their
/// signals, then finish_registration().
class BusSession {
 public:
    /// \param bus as `--bus`. Unsupported when there is no such bus.
    explicit BusSession(const std::string& bus);
    BusSession(const BusSession&) = delete;
    BusSession& operator=(const BusSession&) = delete;

    [[nodiscard]] std::unique_ptr<sdbus::IProxy> object_proxy(const std::string& path);

    /// Handles signals until some were handled, Ctrl-C was pressed or `timeout` is over.
    void wait(std::chrono::milliseconds timeout);

    /// True once, after Ctrl-C was pressed first. (The second ends the process.)
    [[nodiscard]] bool take_interrupt();

    /// True once the daemon has left the bus.
    [[nodiscard]] bool daemon_gone() const { return gone_; }

 private:
    void watch_daemon();
    [[nodiscard]] bool dispatch();

    UniqueFd interrupt_;
    Interrupts interrupts_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IProxy> bus_proxy_;
    bool gone_ = false;
};

/// All properties of one interface.
[[nodiscard]] bus::VariantMap get_all(sdbus::IProxy& proxy, const char* interface);

}  // namespace cfs::client
