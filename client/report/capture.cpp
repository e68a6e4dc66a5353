// SPDX-License-Identifier: Apache-2.0
#include "client/report/capture.hpp"

#include "base/bytes.hpp"
#include "base/file_io.hpp"
#include "base/spawn.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace cfs::client {
namespace {

using Clock = std::chrono::steady_clock;

/// Empty when its output came to its end.
std::string read_until(int fd, Clock::time_point deadline, std::size_t limit, std::string& text) {
    std::array<std::uint8_t, 16384> buffer{};
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd poll{fd, POLLIN, 0};
        const int ready =
            ::poll(&poll, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return "it took too long";
        const std::size_t n = read_some(fd, buffer);
        if (n == 0) return {};
        text += as_text(ByteView(buffer).first(std::min(n, limit - text.size())));
        if (text.size() >= limit) return "it printed more than was wanted";
    }
}

std::string describe_end(int status) {
    if (WIFSIGNALED(status)) return "it was killed by signal " + std::to_string(WTERMSIG(status));
    if (WEXITSTATUS(status) == 0) return {};
    return "it ended with exit code " + std::to_string(WEXITSTATUS(status));
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

}  // namespace

Captured capture(const std::vector<std::string>& argv,
                 std::size_t limit,
                 std::chrono::milliseconds patience) {
    Captured out;
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {{}, std::strerror(errno)};
    const UniqueFd reader(pipe[0]);
    UniqueFd writer(pipe[1]);
    std::vector<char*> pointers;
    for (const std::string& arg : argv)
        pointers.push_back(const_cast<char*>(arg.c_str()));
    pointers.push_back(nullptr);
    const SpawnSetup setup(writer.get(), ChildGroup::Own);
    pid_t child = -1;
    const int err = ::posix_spawnp(
        &child, pointers[0], setup.actions(), setup.attributes(), pointers.data(), ::environ);
    if (err != 0) return {{}, "'" + argv[0] + "' cannot be started: " + std::strerror(err)};
    writer.reset();
    out.problem = read_until(reader.get(), Clock::now() + patience, limit, out.text);
    if (!out.problem.empty()) ::kill(-child, SIGKILL);
    const int status = wait_for(child);
    if (out.problem.empty()) out.problem = describe_end(status);
    if (!out.problem.empty()) out.problem = "'" + argv[0] + "': " + out.problem;
    return out;
}

}  // namespace cfs::client
