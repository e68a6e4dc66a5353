// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/unique_fd.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>

extern char** environ;

namespace cfs::test {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kMaxOutput = std::size_t{64} << 20;

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> out;
    for (const auto& text : strings)
        out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

std::vector<std::string> environment(const std::vector<std::string>& extra) {
    std::vector<std::string> out = extra;
    for (char** variable = environ; *variable != nullptr; ++variable)
        out.emplace_back(*variable);
    return out;
}

pid_t spawn(const std::vector<std::string>& command,
            const std::vector<std::string>& extra,
            int output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    const auto variables = environment(extra);
    pid_t pid = -1;
    const int failed = posix_spawn(&pid,
                                   command[0].c_str(),
                                   &actions,
                                   nullptr,
                                   pointers(command).data(),
                                   pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw_errno(failed, "starting '" + command[0] + "'");
    return pid;
}

/// False when the time was over first.
bool wait_until(pid_t pid, microseconds limit) {
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process) throw_errno("watching a child");
    struct pollfd wait {
        process.get(), POLLIN, 0
    };
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    const struct timespec time {
        seconds.count(), std::chrono::nanoseconds(limit - seconds).count()
    };
    return ::ppoll(&wait, 1, &time, nullptr) == 1;
}

}  // namespace

Ended run_process(const std::vector<std::string>& command,
                  const std::vector<std::string>& extra,
                  microseconds limit) {
    const UniqueFd output(::memfd_create("output", MFD_CLOEXEC));
    if (!output) throw_errno("making a file for output");
    const auto start = std::chrono::steady_clock::now();
    const pid_t pid = spawn(command, extra, output.get());
    Ended out;
    out.killed = !wait_until(pid, limit);
    if (out.killed) ::kill(pid, SIGKILL);
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid) throw_errno("waiting for a child");
    out.took = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - start);
    if (WIFEXITED(status)) out.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) out.signal = WTERMSIG(status);
    out.output = std::string(as_text(read_whole(output.get(), kMaxOutput)));
    return out;
}

}  // namespace cfs::test
