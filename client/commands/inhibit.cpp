// SPDX-License-Identifier: Apache-2.0
#include "base/file_io.hpp"
#include "client/bus/bus_error.hpp"
#include "client/bus/password_agent.hpp"
#include "client/bus/session.hpp"
#include "client/commands/commands.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

namespace cfs::client {
namespace {

constexpr int kNoSuchCommand = 127;
constexpr int kSignalled = 128;

/// Only the answer is waited for, so that nothing has to be read while the command runs.
class Inhibition {
 public:
    Inhibition(const bus::VariantMap& options, const Global& global)
        : connection_(bus::connect(global.bus)),
          manager_(sdbus::createProxy(
              *connection_, bus::ServiceName{bus::kName}, sdbus::ObjectPath{bus::kManagerPath})) {
        const PasswordAgent agent(global.bus, global.ask_password);
        auto reply =
            bus::call(*manager_, bus::kManagerInterface, "Inhibit", global.ask_password, options);
        sdbus::UnixFd fd;
        reply >> fd;
        // Of our own, which is not handed on to the command: what that leaves behind in the
        // background does not count.
        fd_ = duplicate_fd(fd.get());
    }

 private:
    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IProxy> manager_;
    UniqueFd fd_;
};

class Attributes {
 public:
    Attributes() {
        ::posix_spawnattr_init(&attributes_);
        sigset_t defaults;
        sigemptyset(&defaults);
        for (const int number : {SIGPIPE, SIGINT, SIGQUIT})
            sigaddset(&defaults, number);
        ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
    }

    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;

    ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }

    [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
    posix_spawnattr_t attributes_{};
};

/// As a shell does: Ctrl-C is the command's, and how it ends is how we end.
int run_command(const std::vector<std::string>& command) {
    std::vector<char*> argv;
    for (const std::string& word : command)
        argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGQUIT, SIG_IGN);
    const Attributes attributes;
    pid_t pid = -1;
    const int failed =
        ::posix_spawnp(&pid, argv[0], nullptr, attributes.get(), argv.data(), environ);
    if (failed == ENOENT) {
        std::cerr << "cfsctl: there is no command '" << command[0] << "'\n";
        return kNoSuchCommand;
    }
    if (failed != 0) {
        errno = failed;
        throw_errno("starting '" + command[0] + "'");
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) throw_errno("waiting for '" + command[0] + "'");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}

}  // namespace

ExitCode run(const Inhibit& options, const Global& global) {
    const std::string& program = options.command.at(0);
    const bus::VariantMap map{
        {"what", sdbus::Variant{options.what}},
        {"who", sdbus::Variant{options.who.empty() ? program : options.who}},
        {"why", sdbus::Variant{options.why.empty() ? program + " is running" : options.why}}};
    const Inhibition inhibition = on_bus([&] { return Inhibition(map, global); });
    return static_cast<ExitCode>(run_command(options.command));
}

}  // namespace cfs::client
