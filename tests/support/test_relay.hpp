// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"
#include "support/loopback.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <mutex>
#include <thread>

namespace cfs::test {

/// What happens to one connection, counted in bytes on their way back to the client.
struct Mishap {
    static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t cut_after = kNever;
    std::uint64_t stall_after = kNever;
};

/// Passes TCP connections on to a port of this machine and disturbs them. It knows nothing of what
/// they carry, so it does the same to TLS. Thread-safe.
class TestRelay {
 public:
    /// \param plan called with 0, 1, ... for each connection, on the accepting thread
    TestRelay(std::uint16_t target, std::function<Mishap(unsigned)> plan);
    TestRelay(const TestRelay&) = delete;
    TestRelay& operator=(const TestRelay&) = delete;
    ~TestRelay();

    [[nodiscard]] std::uint16_t port() const { return listener_.port; }

    /// Bytes passed back to clients, heads and TLS included.
    [[nodiscard]] std::uint64_t bytes_back() const { return bytes_back_; }

    [[nodiscard]] unsigned connections() const { return connections_; }

 private:
    void accept_loop();
    void pass(int client, const Mishap& mishap);

    std::uint16_t target_;
    std::function<Mishap(unsigned)> plan_;
    BoundSocket listener_;
    std::atomic<std::uint64_t> bytes_back_ = 0;
    std::atomic<unsigned> connections_ = 0;
    std::atomic<bool> stopping_ = false;
    std::list<std::thread> workers_;  ///< accept thread only, then the destructor
    std::thread acceptor_;
};

}  // namespace cfs::test
