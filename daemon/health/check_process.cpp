// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/spawn.hpp"
#include "base/unique_fd.hpp"
#include "health/checks.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace cfs::health {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kKeptOutput = 4096;
constexpr std::size_t kShownLine = 400;

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("making a pipe");
        reader = UniqueFd(ends[0]);
        writer = UniqueFd(ends[1]);
        // Ours alone: programs take a full pipe that does not block for an error.
        if (::fcntl(reader.get(), F_SETFL, O_NONBLOCK) != 0) throw_errno("making a pipe");
    }

    UniqueFd reader, writer;
};

/// \returns the process, or the error's number negated
pid_t spawn(const std::string& path, int output) {
    const SpawnSetup setup(output, ChildGroup::Own);
    std::string name = path;
    std::array<char*, 2> argv{name.data(), nullptr};
    pid_t child = -1;
    const int err = ::posix_spawn(
        &child, path.c_str(), setup.actions(), setup.attributes(), argv.data(), ::environ);
    return err == 0 ? child : -err;
}

/// A child that has not been waited for: nobody else can have its number.
class Child {
 public:
    // The system call itself: glibc 2.36 declares its wrapper for C alone.
    explicit Child(pid_t pid)
        : pid_(pid), ended_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
        if (!ended_) throw_errno("watching a check");
    }

    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    ~Child() {
        if (pid_ > 0) (void)kill_and_wait();
    }

    /// Readable once it ended.
    [[nodiscard]] int fd() const { return ended_.get(); }

    /// The whole group, so that no part of a check that failed goes on.
    int kill_and_wait() {
        (void)::kill(-pid_, SIGKILL);
        return wait();
    }

    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = 0;
        return status;
    }

 private:
    pid_t pid_;
    UniqueFd ended_;
};

/// Takes what there is; false once all writers are gone.
bool drain(int fd, std::string& out) {
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return true;
        if (n == 0) return false;
        out.append(buffer.data(), static_cast<std::size_t>(n));
        if (out.size() > kKeptOutput) out.erase(0, out.size() - kKeptOutput);
    }
}

/// True when the child ended in time.
bool watch(const Child& child, int output, Steady::time_point until, std::string& text) {
    std::array<pollfd, 2> wanted{{{child.fd(), POLLIN, 0}, {output, POLLIN, 0}}};
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Steady::now());
        if (left.count() <= 0) return false;
        const auto wait = std::min<std::chrono::milliseconds::rep>(left.count() + 1, 60'000);
        if (::poll(wanted.data(), wanted.size(), static_cast<int>(wait)) < 0 && errno != EINTR)
            throw_errno("waiting for a check");
        // A closed output says nothing about the end; it is just not asked any more.
        if (wanted[1].fd >= 0 && wanted[1].revents != 0 && !drain(output, text)) wanted[1].fd = -1;
        if (wanted[0].revents != 0) {
            (void)drain(output, text);
            return true;
        }
        wanted[0].revents = wanted[1].revents = 0;
    }
}

std::string last_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    return printable(text.substr(text.rfind('\n') + 1), kShownLine);
}

std::string describe_end(int status, const std::string& output) {
    const std::string end = WIFSIGNALED(status)
                                ? "was killed by signal " + std::to_string(WTERMSIG(status))
                                : "ended with " + std::to_string(WEXITSTATUS(status));
    const std::string line = last_line(output);
    return line.empty() ? end : end + ": " + line;
}

std::string describe(std::chrono::milliseconds limit) {
    const auto count = limit.count();
    return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

void run(CheckResult& result, std::chrono::milliseconds limit) {
    Pipe pipe;
    const pid_t pid = spawn(result.check.path, pipe.writer.get());
    if (pid < 0) throw_errno(-pid, "starting it");
    Child child(pid);
    pipe.writer.reset();
    if (!watch(child, pipe.reader.get(), Steady::now() + limit, result.output)) {
        (void)child.kill_and_wait();
        result.why = "took longer than " + describe(limit);
        return;
    }
    const int status = child.wait();
    result.passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!result.passed) result.why = describe_end(status, result.output);
}

}  // namespace

CheckResult run_check(const Check& check, std::chrono::milliseconds limit) {
    CheckResult result;
    result.check = check;
    try {
        run(result, limit);
    } catch (const Error& e) {
        result.why = e.what();
    }
    return result;
}

}  // namespace cfs::health
