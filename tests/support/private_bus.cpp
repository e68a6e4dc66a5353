// SPDX-License-Identifier: Apache-2.0
#include "support/private_bus.hpp"

#include "base/error.hpp"

#include <signal.h>
#include <sys/stat.h>

namespace cfs::test {
namespace {

constexpr const char* kOpen =
    "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
    "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>";

// What Debian's system.conf says, as far as a service and its callers are concerned.
constexpr const char* kClosed =
    "<policy context=\"default\"><allow user=\"*\"/><deny own=\"*\"/><deny "
    "send_type=\"method_call\"/>"
    "<allow send_type=\"signal\"/>"
    "<allow send_requested_reply=\"true\" send_type=\"method_return\"/>"
    "<allow send_requested_reply=\"true\" send_type=\"error\"/>"
    "<allow receive_type=\"method_call\"/><allow receive_type=\"method_return\"/>"
    "<allow receive_type=\"error\"/><allow receive_type=\"signal\"/>"
    "<allow send_destination=\"org.freedesktop.DBus\" send_interface=\"org.freedesktop.DBus\"/>"
    "</policy>";

}  // namespace

PrivateBus::PrivateBus() {
    start(kOpen);
}

PrivateBus::PrivateBus(const std::string& policy_file,
                       const std::vector<std::string>& more_policy_files) {
    if (::chmod(dir_.path().c_str(), 0755) != 0) throw_errno("opening the bus's directory to all");
    std::string policy = kClosed + ("<include>" + policy_file) + "</include>";
    for (const std::string& file : more_policy_files)
        policy += "<include>" + file + "</include>";
    start(policy);
}

void PrivateBus::start(const std::string& policy) {
    address_ = "unix:path=" + dir_ / "socket";
    dir_.write(
        "bus.conf",
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        "<busconfig><listen>" +
            address_ + "</listen><auth>EXTERNAL</auth>" + policy + "</busconfig>\n");
    daemon_ = std::make_unique<Child>(std::vector<std::string>{
        "dbus-daemon", "--config-file=" + dir_ / "bus.conf", "--nofork", "--print-address"});
    if (daemon_->wait_for_out("\n")) return;
    throw Error(ErrorCode::Internal, "dbus-daemon did not start: " + daemon_->finish().err);
}

void PrivateBus::kill() {
    daemon_->signal(SIGKILL);
    (void)daemon_->finish();
}

Ended PrivateBus::busctl(const std::vector<std::string>& args) const {
    std::vector<std::string> argv{"busctl", "--address=" + address_};
    argv.insert(argv.end(), args.begin(), args.end());
    return run(argv);
}

}  // namespace cfs::test
