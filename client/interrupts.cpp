// SPDX-License-Identifier: Apache-2.0
#include "client/interrupts.hpp"

#include "base/error.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>

namespace cfs::client {
namespace {

sigset_t interrupting() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

/// False when the other descriptor became readable first.
bool wait_for_signal(int signals, int quit) {
    std::array<pollfd, 2> fds = {{{signals, POLLIN, 0}, {quit, POLLIN, 0}}};
    while (::poll(fds.data(), fds.size(), -1) < 0) {
    }
    if (fds[1].revents != 0) return false;
    signalfd_siginfo info{};
    return ::read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

}  // namespace

Interrupts::Interrupts(std::function<void()> first) : first_(std::move(first)) {
    const sigset_t set = interrupting();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC));
    quit_.reset(::eventfd(0, EFD_CLOEXEC));
    if (!signals_ || !quit_) throw_errno("preparing for Ctrl-C");
    thread_ = std::thread([this] { watch(); });
}

Interrupts::~Interrupts() {
    const std::uint64_t one = 1;
    // A fresh eventfd never refuses its first write.
    static_cast<void>(::write(quit_.get(), &one, sizeof one) == sizeof one);
    thread_.join();
}

void Interrupts::watch() {
    if (!wait_for_signal(signals_.get(), quit_.get())) return;
    first_();
    if (wait_for_signal(signals_.get(), quit_.get())) ::_exit(1);
}

}  // namespace cfs::client
