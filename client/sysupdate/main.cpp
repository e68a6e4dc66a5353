// SPDX-License-Identifier: Apache-2.0
#include "base/heap.hpp"
#include "base/log.hpp"
#include "base/notify.hpp"
#include "client/sysupdate/adapter.hpp"
#include "client/sysupdate/command_line.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <signal.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

namespace cfs::sysupdate {
namespace {

OsRelease this_system() {
    std::ifstream in("/etc/os-release");
    return read_os_release({std::istreambuf_iterator<char>(in), {}});
}

Adapter::Config config_of(const CommandLine& line) {
    Adapter::Config config;
    config.bus = line.bus;
    config.run_directory = line.run_directory;
    config.system = this_system();
    // On somebody's session bus that somebody decides who is called polkit.
    config.callers.polkit = line.bus != "session";
    return config;
}

/// The main loop and what hangs on it. Main thread only.
class Process {
 public:
    explicit Process(const CommandLine& line)
        : io_(1),
          signals_(io_, SIGTERM, SIGINT),
          watchdog_(io_),
          idle_(io_),
          idle_exit_(line.idle_exit),
          adapter_(io_, config_of(line), events()) {}

    [[nodiscard]] int run() {
        signals_.async_wait([this](const boost::system::error_code& failed, int number) {
            if (!failed) stop("signal " + std::to_string(number));
        });
        adapter_.start();
        io_.run();
        return exit_status_;
    }

 private:
    Adapter::Events events() {
        Adapter::Events events;
        events.ready = [this] {
            log::info("cfsupdated-sysupdate1 is ready");
            notify_manager("READY=1");
            feed_watchdog();
            if (idle_exit_.count() > 0) wait_until_idle(std::chrono::steady_clock::now());
        };
        events.lost = [this](const Error& why) {
            log::error(std::string(why.what()) + (why.hint().empty() ? "" : "; ") + why.hint());
            exit_status_ = 1;
            stop("the bus is lost");
        };
        return events;
    }

    void stop(const std::string& why) {
        if (std::exchange(stopping_, true)) return;
        log::info("stopping: " + why);
        notify_manager("STOPPING=1");
        adapter_.shut_down();
        io_.stop();
    }

    /// From the loop only: a loop that hangs is what the watchdog is for.
    void feed_watchdog() {
        const auto interval = watchdog_interval();
        if (!interval) return;
        notify_manager("WATCHDOG=1");
        watchdog_.expires_after(*interval / 2);
        watchdog_.async_wait([this](const boost::system::error_code& failed) {
            if (!failed) feed_watchdog();
        });
    }

    void wait_until_idle(std::chrono::steady_clock::time_point since) {
        idle_.expires_at(since + idle_exit_);
        idle_.async_wait([this](const boost::system::error_code& failed) {
            if (failed || stopping_) return;
            const auto now = std::chrono::steady_clock::now();
            const auto idle_since = adapter_.idle_since();
            if (idle_since && *idle_since + idle_exit_ <= now) return stop("nobody wants anything");
            wait_until_idle(idle_since.value_or(now));
        });
    }

    boost::asio::io_context io_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer watchdog_;
    boost::asio::steady_timer idle_;
    std::chrono::milliseconds idle_exit_;  ///< 0: never
    int exit_status_ = 0;
    bool stopping_ = false;
    Adapter adapter_;
};

int act(const CommandLine& line) {
    if (line.action == Action::ShowHelp) {
        std::cout << help_text();
        return 0;
    }
    if (line.action == Action::ShowVersion) {
        std::cout << "cfsupdated-sysupdate1 " << CFS_VERSION << "\n";
        return 0;
    }
    log::init(line.log_level);
    limit_heaps();
    // A peer that goes away is an error of a write, not the end of us.
    ::signal(SIGPIPE, SIG_IGN);
    return Process(line).run();
}

}  // namespace
}  // namespace cfs::sysupdate

int main(int argc, char** argv) {
    try {
        return cfs::sysupdate::act(cfs::sysupdate::parse_command_line(argc, argv));
    } catch (const cfs::Error& e) {
        std::cerr << "cfsupdated-sysupdate1: " << e.what() << "\n";
        if (!e.hint().empty()) std::cerr << "Hint: " << e.hint() << "\n";
    } catch (const std::exception& e) {
        std::cerr << "cfsupdated-sysupdate1: unexpected failure: " << e.what() << "\n";
    }
    return 1;
}
