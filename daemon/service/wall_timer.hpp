// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <time.h>

#include <chrono>
#include <functional>
#include <memory>

namespace cfs::service {

/// Waits for a time of the clock on the wall: whoever sets that clock, or wakes the machine from a
/// sleep during which the time came, ends the wait as well, and nothing is woken before. Asio's
/// own timers count time that a sleeping machine does not have, and look at the wall every five
/// minutes. One thread only, the loop's.
class WallTimer {
 public:
    /// timerfd_settime(2), unless a test has another.
    using Set = int (*)(int fd, int flags, const struct itimerspec* wanted, struct itimerspec* old);

    explicit WallTimer(boost::asio::io_context& io, Set set = nullptr);
    WallTimer(const WallTimer&) = delete;
    WallTimer& operator=(const WallTimer&) = delete;
    ~WallTimer();

    /// Calls `then` from the loop, once: at `when`, or when the clock was set (look what time it
    /// is). Takes the place of what was waited for. \throws Io
    void wait_until(std::chrono::system_clock::time_point when, std::function<void()> then);

    /// Nothing is called any more.
    void cancel();

 private:
    void listen();
    [[nodiscard]] bool expired();

    Set set_;
    boost::asio::posix::stream_descriptor timer_;
    std::function<void()> then_;
    std::shared_ptr<WallTimer*> self_;  ///< what the loop still has looks whether this is there
};

}  // namespace cfs::service
