// SPDX-License-Identifier: Apache-2.0
#include "client/bus/password_agent.hpp"

#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace cfs::client {
namespace {

constexpr const char* kProgram = "/usr/bin/pkttyagent";
/// It has no more to do than to call polkitd; without it the daemon says what to do.
constexpr int kPatienceMs = 10'000;

bool wanted(const std::string& bus) {
    return bus == "system" && ::geteuid() != 0 && ::isatty(STDIN_FILENO) == 1 &&
           ::isatty(STDERR_FILENO) == 1 && ::access(kProgram, X_OK) == 0;
}

/// It closes `ready` once it is registered; so does its end.
void wait_until_closed(const UniqueFd& ready) {
    pollfd fd{ready.get(), POLLIN, 0};
    while (::poll(&fd, 1, kPatienceMs) < 0 && errno == EINTR) {
    }
}

}  // namespace

PasswordAgent::PasswordAgent(const std::string& bus, bool allowed) {
    if (allowed && wanted(bus)) start(kProgram);
}

PasswordAgent::PasswordAgent(const char* program) {
    start(program);
}

void PasswordAgent::start(const char* program) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    const UniqueFd ready(ends[0]);
    UniqueFd theirs(ends[1]);
    const std::string number = std::to_string(theirs.get());
    const std::array<const char*, 5> argv{
        program, "--notify-fd", number.c_str(), "--fallback", nullptr};
    // Not posix_spawn: it must not outlive us, also when we are killed. No other thread runs yet.
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        ::fcntl(theirs.get(), F_SETFD, 0);
        ::execv(program, const_cast<char**>(argv.data()));
        ::_exit(127);
    }
    theirs.reset();
    if (runs()) wait_until_closed(ready);
}

PasswordAgent::~PasswordAgent() {
    if (!runs()) return;
    // It gives the terminal its echo back.
    ::kill(pid_, SIGTERM);
    ::kill(pid_, SIGCONT);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace cfs::client
