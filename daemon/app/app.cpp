// SPDX-License-Identifier: Apache-2.0
#include "app/app.hpp"

#include "app/boot_verbs.hpp"
#include "app/command_line.hpp"
#include "app/machine_name.hpp"
#include "app/status_files.hpp"
#include "base/heap.hpp"
#include "base/log.hpp"
#include "bus/main_loop.hpp"
#include "service/service.hpp"
#include "settings/load.hpp"
#include "update/policy_memory.hpp"

#include <boost/asio/signal_set.hpp>

#include <signal.h>

#include <chrono>
#include <iostream>
#include <utility>

namespace cfs::app {
namespace {

/// The service on its loop, and what hangs on both. Main thread only.
class Daemon {
 public:
    Daemon(const settings::Settings& settings,
           const std::string& bus,
           std::chrono::milliseconds idle_exit,
           update::Engine& engine)
        : loop_(idle_exit),
          hangup_(loop_.io(), SIGHUP),
          files_(settings, bus),
          service_(loop_.io(), engine, config(settings, bus), events()) {}

    [[nodiscard]] int run() {
        listen_for_hangup();
        return loop_.run(
            {[this] { return service_.idle_since(); },
             [this](std::function<void()> done) { service_.shut_down(std::move(done)); }},
            [this] { service_.start(); });
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
        return {[this] { loop_.ready("cfsupdated " + version()); },
                [this](const Error& why) { loop_.lost(why); }};
    }

    /// The boot's own verbs changed what is shown.
    void listen_for_hangup() {
        hangup_.async_wait([this](const boost::system::error_code& failed, int) {
            if (failed) return;
            service_.look_again();
            listen_for_hangup();
        });
    }

    bus::MainLoop loop_;
    boost::asio::signal_set hangup_;
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
int finalize_or_tell(const std::string& config, int (*verb)(const settings::Settings&)) {
    settings::Settings settings;
    try {
        settings = load_settings(config);
    } catch (const Error& e) {
        return cannot_finalize(e);
    }
    return verb(settings);
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
            return finalize_or_tell(line.config, finalize);
        case Action::SoftReboot:
            return finalize_or_tell(line.config, soft_reboot);
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
