// SPDX-License-Identifier: Apache-2.0
#include "polkit_site.hpp"

#include "base/error.hpp"
#include "dbus/bus_compat.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace cfs::test {
namespace {

constexpr const char* kPolkitd = "/usr/lib/polkit-1/polkitd";
constexpr const char* kPolkitBus = "/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf";

/// As logind writes them: a session, and its user.
std::string session_records(const User& user, bool active) {
    const std::string id = user.session;
    const std::string uid = std::to_string(user.uid);
    const std::string state = active ? "active" : "online";
    return "cat > /run/systemd/sessions/" + id + " <<.\nUID=" + uid + "\nUSER=u" + uid +
           "\nACTIVE=" + (active ? "1" : "0") + "\nIS_DISPLAY=1\nSTATE=" + state +
           "\nREMOTE=0\nTYPE=wayland\nCLASS=user\nSEAT=seat0\n.\n" + "cat > /run/systemd/users/" +
           uid + " <<.\nNAME=u" + uid + "\nSTATE=" + state + "\nDISPLAY=" + id +
           "\nSESSIONS=" + id + "\n" + (active ? "ACTIVE_SESSIONS=" + id + "\n" : "") +
           "ONLINE_SESSIONS=" + id + "\n.\n";
}

/// In polkitd's own namespace: nothing of the machine's sessions, actions and rules is seen.
std::string prepare(const std::string& dir) {
    return "set -e\nmount -t tmpfs -o mode=755 none /run/systemd\n"
           "mkdir /run/systemd/sessions /run/systemd/users /run/systemd/seats "
           "/run/systemd/machines\n"
           "mount --bind " +
           dir + "/actions /usr/share/polkit-1/actions\nmount --bind " + dir +
           "/rules /etc/polkit-1/rules.d\nmount --bind " + dir +
           "/none /usr/share/polkit-1/rules.d\n"
           "printf 'ACTIVE=c1\\nACTIVE_UID=1\\nSESSIONS=c1 c2\\nUIDS=1 2\\n' > "
           "/run/systemd/seats/seat0\n" +
           session_records(kActive, true) + session_records(kInactive, false);
}

std::vector<std::string> bus_policies(const std::vector<std::string>& names) {
    std::vector<std::string> files{kPolkitBus};
    for (const std::string& name : names)
        files.push_back(std::string(CFS_DBUS_DIR) + "/" + name + ".conf");
    return files;
}

}  // namespace

Caller::Caller(const TempDir& dir, const std::string& address, const User& user) : user_(user) {
    static int number = 0;
    const std::string fifo = dir / ("caller" + std::to_string(number++));
    if (::mkfifo(fifo.c_str(), 0600) != 0 || ::chown(fifo.c_str(), user.uid, user.uid) != 0) {
        throw_errno("making a fifo");
    }
    process_ = std::make_unique<Child>(
        std::vector<std::string>{CFS_BUS_CALLER, address, std::to_string(user.uid), fifo});
    commands_ = std::make_unique<std::ofstream>(fifo);
    (void)answer();  // its unique name: it is connected
}

std::string Caller::answer() {
    const auto line = process_->read_out_line();
    if (!line) throw Error(ErrorCode::Internal, "a caller ended: " + process_->finish().err);
    return *line;
}

std::string Caller::tell(const std::string& line) {
    start(line);
    return answer();
}

std::string Caller::call(const std::string& method, const std::string& options, bool ask) {
    return tell(std::string(bus::kManagerPath) + " " + bus::kManagerInterface + " " + method +
                (ask ? " 1 " : " 0 ") + options);
}

void Caller::kill() {
    process_.reset();
}

PolkitSite::PolkitSite(bool finalize_by_default,
                       service::CallerCheck::Config callers,
                       const std::vector<std::string>& more)
    : service(CFS_DBUS_DIR "/org.cfsupdate1.conf", bus_policies(more)), names_(more) {
    names_.emplace_back("org.cfsupdate1");
    if (::chmod(dir_.path().c_str(), 0755) != 0) throw_errno("opening a directory to polkitd");
    service.finalize_by_default = finalize_by_default;
    service.callers = callers;
    service.start();
}

std::string PolkitSite::missing() {
    if (::geteuid() != 0) return "needs root to act as other users";
    if (::access(kPolkitd, X_OK) != 0) return "needs polkitd";
    const Ended mounts = run({"unshare", "-m", "mount", "-t", "tmpfs", "none", "/run/systemd"});
    return mounts.code == 0 ? "" : "needs mounts of its own: " + mounts.err;
}

Caller& PolkitSite::add(const User& user) {
    return *callers_.emplace_back(std::make_unique<Caller>(dir_, service.bus.address(), user));
}

void PolkitSite::start_polkit(const std::string& rules) {
    dir_.write("rules/50.rules", rules);
    dir_.write("none/.keep", "");
    for (const std::string& name : names_) {
        const std::string file = std::string(CFS_DBUS_DIR) + "/" + name + ".policy";
        const Ended copied = run({"install", "-Dm644", "-t", dir_ / "actions", file});
        if (copied.code != 0) throw Error(ErrorCode::Internal, copied.err);
    }
    std::string script = prepare(dir_.path());
    for (const auto& caller : callers_) {
        const User& user = caller->user();
        if (*user.session == '\0') continue;
        // Both ways of naming a control group: whichever the machine has.
        const std::string group = "/user.slice/user-" + std::to_string(user.uid) +
                                  ".slice/session-" + user.session + ".scope\n";
        const std::string file = "group" + std::to_string(caller->pid());
        dir_.write(file, "1:name=systemd:" + group + "0::" + group);
        script +=
            "mount --bind " + dir_ / file + " /proc/" + std::to_string(caller->pid()) + "/cgroup\n";
    }
    script += std::string("exec ") + kPolkitd + "\n";
    polkitd_ = std::make_unique<Child>(
        std::vector<std::string>{"env",
                                 "DBUS_SYSTEM_BUS_ADDRESS=" + service.bus.address(),
                                 "unshare",
                                 "-m",
                                 "sh",
                                 "-c",
                                 script});
    for (int i = 0; i < 200; ++i) {
        if (service.bus.busctl({"status", "org.freedesktop.PolicyKit1"}).code == 0) return;
        ::usleep(20'000);
    }
    polkitd_->signal(SIGKILL);
    throw Error(ErrorCode::Internal, "polkitd did not start: " + polkitd_->finish().err);
}

}  // namespace cfs::test
