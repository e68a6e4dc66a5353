// SPDX-License-Identifier: Apache-2.0
#include "bus/main_loop.hpp"

#include "base/log.hpp"
#include "base/notify.hpp"

#include <csignal>
#include <utility>

namespace cfs::bus {

MainLoop::MainLoop(std::chrono::milliseconds idle_exit)
    : io_(1), signals_(io_, SIGTERM, SIGINT), watchdog_(io_), idle_(io_), idle_exit_(idle_exit) {}

int MainLoop::run(Hooks hooks, const std::function<void()>& start) {
    hooks_ = std::move(hooks);
    signals_.async_wait([this](const boost::system::error_code& failed, int number) {
        if (!failed) stop("signal " + std::to_string(number));
    });
    start();
    io_.run();
    return exit_status_;
}

void MainLoop::ready(const std::string& what) {
    log::info(what + " is ready");
    notify_manager("READY=1");
    feed_watchdog();
    if (idle_exit_.count() > 0) wait_until_idle(std::chrono::steady_clock::now());
}

void MainLoop::lost(const Error& why) {
    log::error(std::string(why.what()) + (why.hint().empty() ? "" : "; ") + why.hint());
    exit_status_ = 1;
    stop("the bus is lost");
}

void MainLoop::stop(const std::string& why) {
    if (std::exchange(stopping_, true)) return;
    log::info("stopping: " + why);
    notify_manager("STOPPING=1");
    hooks_.shut_down([this] { io_.stop(); });
}

/// From the loop only: a loop that hangs is what the watchdog is for.
void MainLoop::feed_watchdog() {
    const auto interval = watchdog_interval();
    if (!interval) return;
    notify_manager("WATCHDOG=1");
    watchdog_.expires_after(*interval / 2);
    watchdog_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) feed_watchdog();
    });
}

/// One wake-up for each span: a timer that every call moved would be one for each call.
void MainLoop::wait_until_idle(std::chrono::steady_clock::time_point since) {
    idle_.expires_at(since + idle_exit_);
    idle_.async_wait([this](const boost::system::error_code& failed) {
        if (failed || stopping_) return;
        const auto now = std::chrono::steady_clock::now();
        const auto idle_since = hooks_.idle_since();
        if (idle_since && *idle_since + idle_exit_ <= now) return stop("nobody wants anything");
        wait_until_idle(idle_since.value_or(now));
    });
}

}  // namespace cfs::bus
