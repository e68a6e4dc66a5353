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
/// are handled inside wait() and call() only. Make proxies of connection() by object_proxy(),
/// register their signals, then finish_registration().
class BusSession {
 public:
    /// \param bus as `--bus`. Unsupported when there is no such bus.
    /// \param ask_password call() may be held up by a password dialog
    explicit BusSession(const std::string& bus, bool ask_password = true);
    BusSession(const BusSession&) = delete;
    BusSession& operator=(const BusSession&) = delete;

    [[nodiscard]] std::unique_ptr<sdbus::IProxy> object_proxy(const std::string& path);

    /// Calls a method that polkit may have a say about, and waits for its answer: minutes, when
    /// somebody has to type a password. Ctrl-C gives up (Cancelled), and the dialog closes.
    template <typename... Args>
    sdbus::MethodReply call(sdbus::IProxy& proxy,
                            const char* interface,
                            const std::string& method,
                            const Args&... args) {
        return on_bus([&] {
            const sdbus::MethodCall message =
                bus::make_call(proxy, interface, method, ask_password_, args...);
            return answer_to(proxy, message);
        });
    }

    /// Handles signals until some were handled, Ctrl-C was pressed or `timeout` is over.
    void wait(std::chrono::milliseconds timeout);

    /// True once, after Ctrl-C was pressed first. (The second ends the process.)
    [[nodiscard]] bool take_interrupt();

    /// True once the daemon has left the bus.
    [[nodiscard]] bool daemon_gone() const { return gone_; }

 private:
    void watch_daemon();
    [[nodiscard]] bool dispatch();
    [[nodiscard]] sdbus::MethodReply answer_to(sdbus::IProxy& proxy,
                                               const sdbus::MethodCall& message);

    UniqueFd interrupt_;
    Interrupts interrupts_;
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IProxy> bus_proxy_;
    bool ask_password_;
    bool gone_ = false;
};

/// All properties of one interface.
[[nodiscard]] bus::VariantMap get_all(sdbus::IProxy& proxy, const char* interface);

}  // namespace cfs::client
