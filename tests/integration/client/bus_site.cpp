// SPDX-License-Identifier: Apache-2.0
#include "bus_site.hpp"

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cfs::test {

BusSite::BusSite(const std::string& policy) {
    address_ = "unix:path=" + dir_ / "socket";
    dir_.write(
        "bus.conf",
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        "<busconfig><type>session</type><listen>" +
            address_ +
            "</listen><policy context=\"default\"><allow send_destination=\"*\"/>"
            "<allow eavesdrop=\"true\"/><allow own=\"*\"/>" +
            policy + "</policy></busconfig>\n");
    bus_ = std::make_unique<Child>(std::vector<std::string>{
        "dbus-daemon", "--config-file=" + dir_ / "bus.conf", "--nofork", "--print-address"});
    if (bus_->wait_for_out("\n")) return;
    throw Error(ErrorCode::Internal, "dbus-daemon did not start: " + bus_->finish().err);
}

void BusSite::start_daemon(const std::string& image) {
    dir_.write("cfsupdated.toml", "image = \"" + image + "\"\n");
    daemon_ = std::make_unique<Child>(std::vector<std::string>{
        CFS_SCRIPTED_DAEMON, "--config", dir_ / "cfsupdated.toml", "--bus", address_});
    if (!daemon_->wait_for_err("is ready")) {
        throw Error(ErrorCode::Internal, "the daemon did not start: " + daemon_->finish().err);
    }
}

std::vector<std::string> BusSite::cfsctl(const std::vector<std::string>& args) const {
    std::vector<std::string> out = {CFS_CFSCTL, "--bus", address_};
    out.insert(out.end(), args.begin(), args.end());
    return out;
}

std::string BusSite::fifo() {
    const std::string path = dir_ / "fifo";
    if (::mkfifo(path.c_str(), 0600) != 0 && errno != EEXIST) throw_errno("making '" + path + "'");
    return path;
}

void BusSite::feed_fifo() {
    const UniqueFd fd(::open(fifo().c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd || ::write(fd.get(), "\n", 1) != 1) throw_errno("feeding '" + fifo() + "'");
}

}  // namespace cfs::test
