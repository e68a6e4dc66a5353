// SPDX-License-Identifier: Apache-2.0
// fake_conditions FILE: NetworkManager and UPower of a machine that has neither, on the system bus.
// They say what FILE says, and look again when it is written: "METERED ON_BATTERY PERCENT", such as
// "no yes 12".
#include "integration/bus/fake_system.hpp"

#include <systemd/sd-daemon.h>

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>

namespace {

constexpr std::uint32_t kMetered = 1, kNotMetered = 2;  // NMMetered

void obey(cfs::test::FakeSystem& system, const std::string& file) {
    std::ifstream in(file);
    std::string metered, on_battery;
    double percent = 0;
    if (!(in >> metered >> on_battery >> percent)) return;  // not written to its end yet
    system.set("Metered", metered == "yes" ? kMetered : kNotMetered);
    system.set("OnBattery", on_battery == "yes");
    system.set("IsPresent", true);
    system.set("Percentage", percent);
}

int run(const std::string& file) {
    cfs::test::FakeSystem system("unix:path=/run/dbus/system_bus_socket");
    const int watch = ::inotify_init1(IN_CLOEXEC);
    if (watch < 0 || ::inotify_add_watch(watch, file.c_str(), IN_CLOSE_WRITE) < 0) {
        std::cerr << "nobody tells of " << file << '\n';
        return 1;
    }
    obey(system, file);
    system.appear(cfs::test::FakeSystem::kNetwork);
    system.appear(cfs::test::FakeSystem::kPower);
    ::sd_notify(0, "READY=1");
    std::array<char, 4096> events;
    while (::read(watch, events.data(), events.size()) > 0)
        obey(system, file);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? argv[1] : "");
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
