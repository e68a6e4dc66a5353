// SPDX-License-Identifier: Apache-2.0
#include "base/heap.hpp"
#include "base/log.hpp"
#include "bus/main_loop.hpp"
#include "client/sysupdate/adapter.hpp"
#include "client/sysupdate/command_line.hpp"

#include <signal.h>

#include <fstream>
#include <iostream>
#include <iterator>

namespace cfs::sysupdate {
namespace {

constexpr std::size_t kMostCallsAtOnce = 128;

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
    // A client asks for every version at once, and says nothing of those that are refused.
    config.callers.limits.per_caller = kMostCallsAtOnce;
    return config;
}

/// The adapter on its loop. Main thread only.
class Process {
 public:
    explicit Process(const CommandLine& line)
        : loop_(line.idle_exit), adapter_(loop_.io(), config_of(line), events()) {}

    [[nodiscard]] int run() {
        return loop_.run({[this] { return adapter_.idle_since(); },
                          [this](const std::function<void()>& done) {
                              adapter_.shut_down();
                              done();
                          }},
                         [this] { adapter_.start(); });
    }

 private:
    Adapter::Events events() {
        return {[this] { loop_.ready("cfsupdated-sysupdate1"); },
                [this](const Error& why) { loop_.lost(why); }};
    }

    bus::MainLoop loop_;
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
