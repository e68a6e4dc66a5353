// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace cfs::bus {

/// The loop of a service on the bus: it ends at SIGTERM and SIGINT, when the bus is lost and, if
/// that is wanted, when nobody wants anything; the service manager hears of its beginning, its end
/// and, as the watchdog, that it turns. Main thread only.
class MainLoop {
 public:
    struct Hooks {
        /// Since when nobody wants anything; nullopt: somebody does.
        std::function<std::optional<std::chrono::steady_clock::time_point>()> idle_since;
        /// Ends what is served, then calls `done`.
        std::function<void(std::function<void()> done)> shut_down;
    };

    /// \param idle_exit how long nobody has to want anything; 0: it does not end for that
    explicit MainLoop(std::chrono::milliseconds idle_exit);

    [[nodiscard]] boost::asio::io_context& io() { return io_; }

    /// Calls `start`, then runs. \return the exit status
    [[nodiscard]] int run(Hooks hooks, const std::function<void()>& start);

    /// It serves. \param what for the log: name and version
    void ready(const std::string& what);

    /// It cannot go on: stops, with the exit status 1.
    void lost(const Error& why);

    void stop(const std::string& why);

 private:
    void feed_watchdog();
    void wait_until_idle(std::chrono::steady_clock::time_point since);

    boost::asio::io_context io_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer watchdog_;
    boost::asio::steady_timer idle_;
    std::chrono::milliseconds idle_exit_;
    Hooks hooks_;
    int exit_status_ = 0;
    bool stopping_ = false;
};

}  // namespace cfs::bus
