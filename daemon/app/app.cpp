// SPDX-License-Identifier: Apache-2.0
#include "app/app.hpp"

#include "app/boot_verbs.hpp"
#include "app/command_line.hpp"
#include "app/machine_name.hpp"
#include "app/status_files.hpp"
#include "base/heap.hpp"
#include "base/log.hpp"
#include "base/notify.hpp"
#include "service/service.hpp"
#include "settings/load.hpp"
#include "update/policy_memory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <signal.h>

#include <chrono>
#include <iostream>
#include <utility>

namespace cfs::app {
namespace {

/// The main loop and what hangs on it. Main thread only.
class Daemon {
 public:
    Daemon(const settings::Settings& settings,
           const std::string& bus,
           std::chrono::milliseconds idle_exit,
           update::Engine& engine)
        : io_(1),
          signals_(io_, SIGTERM, SIGINT),
          hangup_(io_, SIGHUP),
          watchdog_(io_),
          idle_(io_),
          idle_exit_(idle_exit),
          files_(settings, bus),
          service_(io_, engine, config(settings, bus), events()) {}

    [[nodiscard]] int run() {
        signals_.async_wait([this](const boost::system::error_code& failed, int number) {
            if (!failed) stop("signal " + std::to_string(number));
        });
        listen_for_hangup();
        service_.start();
        io_.run();
        return exit_status_;
    }

 private:
    service::Service::Config config(const settings::Settings& settings, const std::string& bus) {
        service::Service::Config config;
        config.bus = bus;
        config.facts = {version(), settings.update.auto_finalize};
        config.inhibitors.max_age = settings.update.inhibit_max_age;
        config.automatic.policy = settings.policy;
        config.automatic.finalize_by_default = settings.update.auto_finalize;
        config.automatic.machine = machine_name();
        config.automatic.storage = {
            [settings] { return update::load_policy_memory(settings); },
            [settings](const std::string& text) { update::save_policy_memory(settings, text); }};
        // On somebody's session bus that somebody decides who is called polkit.
        config.callers.polkit = bus != "session";
        config.shown = [this](const update::Status& status) { files_.show(status); };
        return config;
    }

    service::Service::Events events() {
        service::Service::Events events;
        events.ready = [this] {
            log::info("cfsupdated " + version() + " is ready");
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

    /// The boot's own verbs changed what is shown.
    void listen_for_hangup() {
        hangup_.async_wait([this](const boost::system::error_code& failed, int) {
            if (failed) return;
            service_.look_again();
            listen_for_hangup();
        });
    }

    void stop(const std::string& why) {
        if (std::exchange(stopping_, true)) return;
        log::info("stopping: " + why);
        notify_manager("STOPPING=1");
        service_.shut_down([this] { io_.stop(); });
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

    /// One wake-up for each span: a timer that every call moved would be one for each call.
    void wait_until_idle(std::chrono::steady_clock::time_point since) {
        idle_.expires_at(since + idle_exit_);
        idle_.async_wait([this](const boost::system::error_code& failed) {
            if (failed || stopping_) return;
            const auto now = std::chrono::steady_clock::now();
            const auto idle_since = service_.idle_since();
            if (idle_since && *idle_since + idle_exit_ <= now) return stop("nobody wants anything");
            wait_until_idle(idle_since.value_or(now));
        });
    }

    boost::asio::io_context io_;
    boost::asio::signal_set signals_;
    boost::asio::signal_set hangup_;
    boost::asio::steady_timer watchdog_;
    boost::asio::steady_timer idle_;
    std::chrono::milliseconds idle_exit_;  ///< 0: never
    int exit_status_ = 0;
    bool stopping_ = false;
    StatusFiles files_;  // before what shows it things
    service::Service service_;
};

settings::Settings load_settings(const std::string& path) {
    settings::Loaded loaded = settings::load(path);
    for (const std::string& warning : loaded.warnings)
        log::warn(warning);
    return std::move(loaded.settings);
}

/// At shutdown nobody reads what a program says: the next boot has to know.
int finalize_or_tell(const std::string& config) {
    settings::Settings settings;
    try {
        settings = load_settings(config);
    } catch (const Error& e) {
        return cannot_finalize(e);
    }
    return finalize(settings);
}

int tell_finalize_failure(const settings::Settings& settings) {
    return finalize_failed(settings, motd_path(settings, "system"));
}

int act(const CommandLine& line, const EngineFactory& make_engine) {
    switch (line.action) {
        case Action::ShowHelp:
            std::cout << help_text();
            return 0;
        case Action::ShowVersion:
            std::cout << "cfsupdated " << version() << "\n";
            return 0;
        case Action::PrintConfig:
            std::cout << settings::print_config(load_settings(line.config));
            return 0;
        case Action::BootCheck:
            return boot_check(load_settings(line.config));
        case Action::MarkGood:
            return mark_boot_good(load_settings(line.config));
        case Action::BootFailed:
            return boot_failed(load_settings(line.config), line.reason);
        case Action::BootDeadline:
            return wait_for_deadline(load_settings(line.config));
        case Action::Finalize:
            return finalize_or_tell(line.config);
        case Action::FinalizeFailed:
            return tell_finalize_failure(load_settings(line.config));
        case Action::Serve:
            break;
    }
    const settings::Settings settings = load_settings(line.config);
    const std::unique_ptr<update::Engine> engine = make_engine(settings);
    return serve(settings, line.bus, line.idle_exit, *engine);
}

void report(const Error& error) {
    std::cerr << "cfsupdated: " << error.what() << "\n";
    if (!error.hint().empty()) std::cerr << "Hint: " << error.hint() << "\n";
}

}  // namespace

int serve(const settings::Settings& settings,
          const std::string& bus,
          std::chrono::milliseconds idle_exit,
          update::Engine& engine) {
    // A peer that goes away is an error of a write, not the end of us.
    ::signal(SIGPIPE, SIG_IGN);
    return Daemon(settings, bus, idle_exit, engine).run();
}

int run(int argc, char** argv, const EngineFactory& make_engine) noexcept {
    try {
        const CommandLine line = parse_command_line(argc, argv);
        log::init(line.log_level);
        limit_heaps();
        return act(line, make_engine);
    } catch (const Error& e) {
        report(e);
    } catch (const std::exception& e) {
        std::cerr << "cfsupdated: unexpected failure: " << e.what() << "\n";
    }
    return 1;
}

}  // namespace cfs::app
