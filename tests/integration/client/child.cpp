// SPDX-License-Identifier: Apache-2.0
#include "child.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

namespace cfs::test {
namespace {

std::pair<UniqueFd, UniqueFd> make_pipe() {
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw_errno("making a pipe");
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::pair<UniqueFd, UniqueFd> make_terminal() {
    const winsize size{25, 80, 0, 0};
    int master = -1;
    int slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0) throw_errno("making a terminal");
    ::fcntl(master, F_SETFD, FD_CLOEXEC);
    ::fcntl(slave, F_SETFD, FD_CLOEXEC);
    return {UniqueFd(master), UniqueFd(slave)};
}

/// Appends what there is; false at the end. A terminal without a writer reads as EIO.
bool read_more(int fd, std::string& text) {
    std::array<char, 4096> buffer{};
    ssize_t n = -1;
    while ((n = ::read(fd, buffer.data(), buffer.size())) < 0 && errno == EINTR) {
    }
    if (n <= 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(n));
    return true;
}

}  // namespace

Child::Child(const std::vector<std::string>& argv, Output output) {
    auto [out, out_end] = make_pipe();
    auto [err, err_end] = output == Output::Terminal ? make_terminal() : make_pipe();
    std::vector<char*> pointers;
    for (const std::string& arg : argv)
        pointers.push_back(const_cast<char*>(arg.c_str()));
    pointers.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw_errno("forking");
    if (pid_ == 0) {
        // A test that uses the client's session blocks signals; a program starts without that.
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::dup2(out_end.get(), 1);
        ::dup2(err_end.get(), 2);
        ::execvp(pointers[0], pointers.data());
        ::_exit(127);
    }
    out_ = std::move(out);
    err_ = std::move(err);
}

Child::~Child() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Child::signal(int number) const {
    ::kill(pid_, number);
}

bool Child::wait_for(const UniqueFd& fd, std::string& text, const std::string& part) {
    while (text.find(part) == std::string::npos) {
        if (!read_more(fd.get(), text)) return false;
    }
    return true;
}

std::optional<std::string> Child::read_out_line() {
    if (!wait_for_out("\n")) return std::nullopt;
    const std::size_t end = out_text_.find('\n');
    std::string line = out_text_.substr(0, end);
    out_text_.erase(0, end + 1);
    return line;
}

Ended Child::finish() {
    std::array<pollfd, 2> fds = {{{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (::poll(fds.data(), fds.size(), -1) < 0) continue;
        if (fds[0].revents != 0 && !read_more(out_.get(), out_text_)) fds[0].fd = -1;
        if (fds[1].revents != 0 && !read_more(err_.get(), err_text_)) fds[1].fd = -1;
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return {code, out_text_, err_text_};
}

Ended run(const std::vector<std::string>& argv) {
    return Child(argv).finish();
}

}  // namespace cfs::test
