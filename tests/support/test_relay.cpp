// SPDX-License-Identifier: Apache-2.0
#include "support/test_relay.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace cfs::test {
namespace {

constexpr int kLookUp = 50;  // milliseconds between looks at stopping_

/// All of it, or false.
bool send_all(int fd, const char* data, std::size_t size) {
    while (size > 0) {
        const ssize_t count = ::send(fd, data, size, MSG_NOSIGNAL);
        if (count <= 0) return false;
        data += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

}  // namespace

TestRelay::TestRelay(std::uint16_t target, std::function<Mishap(unsigned)> plan)
    : target_(target), plan_(std::move(plan)), listener_(listen_on_loopback()) {
    acceptor_ = std::thread([this] { accept_loop(); });
}

TestRelay::~TestRelay() {
    stopping_ = true;
    (void)::shutdown(listener_.fd.get(), SHUT_RDWR);
    acceptor_.join();
    for (std::thread& worker : workers_)
        worker.join();
}

void TestRelay::accept_loop() {
    while (!stopping_) {
        UniqueFd client(::accept4(listener_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!client) continue;
        const Mishap mishap = plan_(connections_++);
        workers_.emplace_back([this, mishap, fd = std::move(client)] { pass(fd.get(), mishap); });
    }
}

void TestRelay::pass(int client, const Mishap& mishap) {
    const UniqueFd server = connect_loopback(target_);
    if (!server) return;
    std::array<char, 16384> buffer{};
    std::uint64_t back = 0;
    const std::uint64_t end = std::min(mishap.cut_after, mishap.stall_after);
    while (!stopping_) {
        // A stalled connection still notices that the client leaves.
        const bool stalled = back == mishap.stall_after;
        std::array<pollfd, 2> fds{{{client, POLLIN, 0}, {stalled ? -1 : server.get(), POLLIN, 0}}};
        if (::poll(fds.data(), fds.size(), kLookUp) < 0) return;
        if (fds[0].revents != 0) {
            const ssize_t count = ::recv(client, buffer.data(), buffer.size(), 0);
            if (count <= 0) return;
            if (!send_all(server.get(), buffer.data(), static_cast<std::size_t>(count))) return;
        }
        if (fds[1].revents == 0) continue;
        const auto room = std::min<std::uint64_t>(buffer.size(), end - back);
        const ssize_t count = ::recv(server.get(), buffer.data(), room, 0);
        if (count <= 0) return;
        if (!send_all(client, buffer.data(), static_cast<std::size_t>(count))) return;
        back += static_cast<std::uint64_t>(count);
        bytes_back_ += static_cast<std::uint64_t>(count);
        if (back == mishap.cut_after) return;
    }
}

}  // namespace cfs::test
