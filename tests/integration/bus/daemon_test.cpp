// SPDX-License-Identifier: Apache-2.0
// cfsupdated as a process: its signals, its exit codes, its words.
#include "support/private_bus.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace cfs::test {
namespace {

constexpr const char* kName = "org.cfsupdate1";
constexpr const char* kPath = "/org/cfsupdate1";
constexpr const char* kManager = "org.cfsupdate1.Manager";

class DaemonProcess : public testing::Test {
 protected:
    void SetUp() override { dir_.write("c.toml", "image = \"oci:/images:stable\"\n"); }

    std::unique_ptr<Child> spawn(const std::string& program) {
        return std::make_unique<Child>(std::vector<std::string>{
            program, "--config", dir_ / "c.toml", "--bus", bus_.address()});
    }

    std::unique_ptr<Child> start(const std::string& program = CFS_SCRIPTED_DAEMON) {
        auto daemon = spawn(program);
        EXPECT_TRUE(daemon->wait_for_err("is ready")) << daemon->finish().err;
        return daemon;
    }

    Ended update(const std::string& image) {
        return bus_.busctl(
            {"call", kName, kPath, kManager, "Update", "a{sv}", "1", "image", "s", image});
    }

    TempDir dir_;
    PrivateBus bus_;
};

TEST_F(DaemonProcess, EndsOrderlyOnSigterm) {
    const auto daemon = start();
    daemon->signal(SIGTERM);
    const Ended ended = daemon->finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    const Ended owner = bus_.busctl({"status", kName});
    EXPECT_NE(owner.code, 0) << "the name is free again";
}

TEST_F(DaemonProcess, SigtermCancelsTheJobThatRuns) {
    const auto daemon = start();
    EXPECT_EQ(update("slow").code, 0);
    daemon->signal(SIGTERM);
    const Ended ended = daemon->finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_NE(ended.err.find("(update) cancelled"), std::string::npos) << ended.err;
}

TEST_F(DaemonProcess, SigintIsTheSame) {
    const auto daemon = start();
    daemon->signal(SIGINT);
    EXPECT_EQ(daemon->finish().code, 0);
}

TEST_F(DaemonProcess, EndsWithAnErrorWhenTheNameIsTaken) {
    const auto first = start();
    const Ended second = spawn(CFS_SCRIPTED_DAEMON)->finish();
    EXPECT_EQ(second.code, 1);
    EXPECT_NE(second.err.find("the bus name org.cfsupdate1 could not be had"), std::string::npos)
        << second.err;
    EXPECT_NE(second.err.find("Is another cfsupdated running on this bus?"), std::string::npos);
}

TEST_F(DaemonProcess, EndsWithAnErrorWhenTheBusIsGone) {
    const auto daemon = start();
    EXPECT_EQ(update("slow").code, 0);
    bus_.kill();
    const Ended ended = daemon->finish();
    EXPECT_EQ(ended.code, 1);
    EXPECT_NE(ended.err.find("the connection to the bus is gone"), std::string::npos) << ended.err;
    EXPECT_NE(ended.err.find("(update) cancelled"), std::string::npos) << ended.err;
}

TEST_F(DaemonProcess, EndsWithAnErrorWithoutABus) {
    const Ended ended =
        run({CFS_CFSUPDATED, "--config", dir_ / "c.toml", "--bus", "unix:path=/nonexistent/bus"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_NE(ended.err.find("connecting to the bus 'unix:path=/nonexistent/bus'"),
              std::string::npos);
    EXPECT_NE(ended.err.find("Hint: "), std::string::npos);
}

TEST_F(DaemonProcess, ServesOnAMachineWithNothingOnIt) {
    dir_.write("c.toml",
               "sysroot = \"" + dir_ / "sysroot" + "\"\nesp = \"" + dir_ / "esp" + "\"\nrun = \"" +
                   dir_ / "run" + "\"\n");
    const auto daemon = start(CFS_CFSUPDATED);
    const Ended state =
        bus_.busctl({"--json=short", "get-property", kName, kPath, kManager, "Booted"});
    EXPECT_EQ(state.code, 0) << state.err;
    EXPECT_EQ(state.out, "{\"type\":\"a{sv}\",\"data\":{}}\n");
    daemon->signal(SIGTERM);
    EXPECT_EQ(daemon->finish().code, 0);
}

TEST_F(DaemonProcess, LooksAgainOnSighup) {
    dir_.write("c.toml",
               "sysroot = \"" + dir_ / "sysroot" + "\"\nesp = \"" + dir_ / "esp" + "\"\nrun = \"" +
                   dir_ / "run" + "\"\n");
    const auto daemon = start(CFS_CFSUPDATED);
    const auto warnings = [&] {
        return bus_.busctl({"get-property", kName, kPath, kManager, "Warnings"}).out;
    };
    const std::string nothing = "no deployment is installed here";
    EXPECT_EQ(warnings().find(nothing), std::string::npos);
    dir_.write("sysroot/x", "");
    daemon->signal(SIGHUP);
    for (int i = 0; i < 100 && warnings().find(nothing) == std::string::npos; ++i)
        ::usleep(100'000);
    EXPECT_NE(warnings().find(nothing), std::string::npos) << warnings();
    daemon->signal(SIGTERM);
    EXPECT_EQ(daemon->finish().code, 0);
}

/// The settings for a machine with nothing on it that tells others.
std::string telling(const TempDir& dir, const std::string& where) {
    return "sysroot = \"" + dir / "sysroot" + "\"\nesp = \"" + dir / "esp" + "\"\nrun = \"" +
           dir / "run" + "\"\n[tell]\nmotd = \"" + where + "/motd\"\nmetrics = \"" + where +
           "/metrics.prom\"\n";
}

/// Until somebody wrote `part` there.
bool appears(const TempDir& dir, const std::string& file, const std::string& part) {
    for (int i = 0; i < 100; ++i, ::usleep(100'000)) {
        if (std::filesystem::exists(dir / file) && dir.read(file).find(part) != std::string::npos)
            return true;
    }
    return false;
}

TEST_F(DaemonProcess, WritesWhatItTellsOthersWhenItChanges) {
    dir_.write("c.toml", telling(dir_, dir_.path()));
    dir_.write("motd", "of the last boot\n");
    dir_.write("sysroot/state/cfsupdated/counters.json", R"({"fetched":5})");
    const auto daemon = start(CFS_CFSUPDATED);
    EXPECT_TRUE(appears(dir_, "metrics.prom", "cfsupdated_fetched_bytes_total 5\n"));
    EXPECT_FALSE(std::filesystem::exists(dir_ / "motd")) << "nothing is to be said";
    const auto written = std::filesystem::last_write_time(dir_ / "metrics.prom");
    daemon->signal(SIGHUP);
    ::usleep(300'000);
    EXPECT_EQ(std::filesystem::last_write_time(dir_ / "metrics.prom"), written);
    dir_.write("sysroot/state/cfsupdated/counters.json", R"({"fetched":6})");
    dir_.write("sysroot/state/cfsupdated/finalize-failure.json",
               R"({"name":"Io","message":"the disk","hint":"","details":"","time":1})");
    daemon->signal(SIGHUP);
    EXPECT_TRUE(appears(dir_, "metrics.prom", "cfsupdated_fetched_bytes_total 6\n"));
    EXPECT_TRUE(appears(dir_, "motd", "cfsupdated: at the last shutdown: the disk\n"));
    EXPECT_EQ(run({"python3", CFS_OPENMETRICS, dir_ / "metrics.prom"}).code, 0);
    daemon->signal(SIGTERM);
    EXPECT_EQ(daemon->finish().code, 0);
}

TEST_F(DaemonProcess, ServesThoughItCannotTellOthers) {
    dir_.write("c.toml", telling(dir_, dir_ / "missing"));
    const auto daemon = start(CFS_CFSUPDATED);
    EXPECT_TRUE(daemon->wait_for_err("metrics.prom' cannot be brought up to date"));
    EXPECT_EQ(bus_.busctl({"get-property", kName, kPath, kManager, "State"}).code, 0);
    daemon->signal(SIGTERM);
    const Ended ended = daemon->finish();
    EXPECT_EQ(ended.code, 0);
    EXPECT_EQ(ended.err.find("motd"), std::string::npos) << "nothing is to be said there";
}

TEST_F(DaemonProcess, TellsTheServiceManagerThatItIsReadyAndStops) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const UniqueFd socket(fd);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = dir_ / "notify";
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    timeval patience{10, 0};
    ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    const auto receive = [fd] {
        char buffer[256];
        const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
        return std::string(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
    };
    Child daemon({"env",
                  "NOTIFY_SOCKET=" + path,
                  "WATCHDOG_USEC=40000",
                  CFS_SCRIPTED_DAEMON,
                  "--config",
                  dir_ / "c.toml",
                  "--bus",
                  bus_.address()});
    EXPECT_EQ(receive(), "READY=1");
    EXPECT_EQ(receive(), "WATCHDOG=1");
    EXPECT_EQ(receive(), "WATCHDOG=1") << "again and again";
    daemon.signal(SIGTERM);
    std::string last = receive();
    while (last == "WATCHDOG=1")
        last = receive();
    EXPECT_EQ(last, "STOPPING=1");
}

/// As systemctl's service-log-level asks for it.
std::vector<std::string> log_control(const std::string& verb, std::vector<std::string> rest) {
    std::vector<std::string> args{
        verb, kName, "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1"};
    args.insert(args.end(), rest.begin(), rest.end());
    return args;
}

TEST_F(DaemonProcess, LogsAsMuchAsSystemctlSays) {
    const auto daemon = start();
    const auto level = [&] { return bus_.busctl(log_control("get-property", {"LogLevel"})).out; };
    const auto set = [&](const std::string& word) {
        return bus_.busctl(log_control("set-property", {"LogLevel", "s", word}));
    };
    EXPECT_EQ(level(), "s \"info\"\n");
    EXPECT_EQ(bus_.busctl(log_control("get-property", {"LogTarget", "SyslogIdentifier"})).out,
              "s \"console\"\ns \"cfsupdated\"\n");
    EXPECT_EQ(set("debug").code, 0);
    EXPECT_EQ(level(), "s \"debug\"\n");
    EXPECT_EQ(set("err").code, 0);
    EXPECT_EQ(level(), "s \"err\"\n");
    EXPECT_EQ(update("none").code, 0);
    const Ended refused = set("loud");
    EXPECT_NE(refused.code, 0);
    EXPECT_NE(refused.err.find("'loud' is no log level"), std::string::npos) << refused.err;
    daemon->signal(SIGTERM);
    const Ended ended = daemon->finish();
    EXPECT_EQ(ended.err.find("(update) accepted"), std::string::npos) << ended.err;
}

// On an open bus, so that it is the daemon that refuses; as the system's, because on a session bus
// everybody is its owner.
TEST_F(DaemonProcess, LetsOnlyRootChangeWhatIsLogged) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to act as another user";
    dir_.write("open.conf",
               "<busconfig><policy context=\"default\"><allow send_destination=\"*\"/>"
               "<allow own=\"*\"/></policy></busconfig>");
    const PrivateBus bus(dir_ / "open.conf");
    Child daemon({"env",
                  "DBUS_SYSTEM_BUS_ADDRESS=" + bus.address(),
                  CFS_SCRIPTED_DAEMON,
                  "--config",
                  dir_ / "c.toml",
                  "--bus",
                  "system"});
    ASSERT_TRUE(daemon.wait_for_err("is ready"));
    const auto as_nobody = [&](const std::string& verb, const std::vector<std::string>& rest) {
        std::vector<std::string> argv{"setpriv",
                                      "--reuid=65534",
                                      "--regid=65534",
                                      "--clear-groups",
                                      "busctl",
                                      "--address=" + bus.address()};
        for (const std::string& word : log_control(verb, rest))
            argv.push_back(word);
        return run(argv);
    };
    EXPECT_EQ(as_nobody("get-property", {"LogLevel"}).out, "s \"info\"\n");
    const Ended refused = as_nobody("set-property", {"LogLevel", "s", "debug"});
    EXPECT_NE(refused.code, 0);
    EXPECT_NE(refused.err.find("denied"), std::string::npos) << refused.err;
    EXPECT_EQ(as_nobody("get-property", {"LogLevel"}).out, "s \"info\"\n");
}

TEST_F(DaemonProcess, PrintsItsConfiguration) {
    const Ended ended = run({CFS_CFSUPDATED, "--config", dir_ / "c.toml", "--print-config"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.out.substr(0, ended.out.find('\n')), "image = \"oci:/images:stable\"");
    EXPECT_NE(ended.out.find("\n[store]\nverity = \"require\"\n"), std::string::npos);
}

TEST_F(DaemonProcess, RefusesAWrongConfigurationWithItsPlace) {
    dir_.write("c.toml", "[update]\nkeep = 1\n");
    const Ended ended = spawn(CFS_CFSUPDATED)->finish();
    EXPECT_EQ(ended.code, 1);
    EXPECT_NE(ended.err.find("c.toml:2:8: update.keep: expected a number from 2 to 100, found 1"),
              std::string::npos)
        << ended.err;
}

TEST_F(DaemonProcess, ShowsVersionAndHelp) {
    EXPECT_EQ(run({CFS_CFSUPDATED, "--version"}).out.substr(0, 11), "cfsupdated ");
    EXPECT_EQ(run({CFS_CFSUPDATED, "--help"}).out.substr(0, 6), "Usage:");
    EXPECT_EQ(run({CFS_CFSUPDATED, "--nonsense"}).code, 1);
}

}  // namespace
}  // namespace cfs::test
