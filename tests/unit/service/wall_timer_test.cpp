// SPDX-License-Identifier: Apache-2.0
// That a clock which is set ends the wait is shown by vm.nights: nobody sets this machine's.
#include "service/wall_timer.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <sys/timerfd.h>

#include <cerrno>
#include <optional>
#include <vector>

namespace cfs::service {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::system_clock;

class WallTimerTest : public testing::Test {
 protected:
    void run() { io_.run_for(300ms); }

    auto note(int what) {
        return [this, what] { called_.push_back(what); };
    }

    boost::asio::io_context io_;
    std::vector<int> called_;
};

TEST_F(WallTimerTest, CallsOnceNotBeforeItsTime) {
    WallTimer timer(io_);
    const auto when = Clock::now() + 50ms;
    std::optional<Clock::time_point> called;
    timer.wait_until(when, [&] {
        EXPECT_FALSE(called);
        called = Clock::now();
    });
    run();
    ASSERT_TRUE(called);
    EXPECT_GE(*called, when);
}

TEST_F(WallTimerTest, ATimeThatIsOverIsNow) {
    WallTimer timer(io_);
    timer.wait_until(Clock::time_point::min(), note(1));
    EXPECT_TRUE(called_.empty()) << "from the loop, not from within";
    run();
    EXPECT_EQ(called_, std::vector{1});
}

TEST_F(WallTimerTest, TheLastWaitIsTheOneThatCounts) {
    WallTimer timer(io_);
    timer.wait_until(Clock::now() + 10ms, note(1));
    timer.wait_until(Clock::now() + 60ms, note(2));
    run();
    EXPECT_EQ(called_, std::vector{2});
}

TEST_F(WallTimerTest, ItMayBeSetAgainFromTheCall) {
    WallTimer timer(io_);
    timer.wait_until(Clock::now(), [&] { timer.wait_until(Clock::now() + 10ms, note(2)); });
    run();
    EXPECT_EQ(called_, std::vector{2});
}

/// As the kernel answers whoever arms it after the clock was set: it is armed.
int set_after_a_jump(int fd, int flags, const itimerspec* wanted, itimerspec* old) {
    const int result = ::timerfd_settime(fd, flags & ~TFD_TIMER_CANCEL_ON_SET, wanted, old);
    if (result != 0 || (flags & TFD_TIMER_CANCEL_ON_SET) == 0) return result;
    errno = ECANCELED;
    return -1;
}

TEST_F(WallTimerTest, AClockThatWasSetBeforeIsNoError) {
    WallTimer timer(io_, set_after_a_jump);
    timer.wait_until(Clock::now() + 10ms, note(1));
    run();
    EXPECT_EQ(called_, std::vector{1});
}

TEST_F(WallTimerTest, WhatTheKernelRefusesIsOne) {
    WallTimer timer(io_, [](int, int flags, const itimerspec*, itimerspec*) {
        errno = EINVAL;
        return flags == 0 ? 0 : -1;
    });
    EXPECT_THROW(timer.wait_until(Clock::now(), note(1)), Error);
    run();
    EXPECT_TRUE(called_.empty());
}

TEST_F(WallTimerTest, CancelledOrGoneItCallsNothing) {
    WallTimer cancelled(io_);
    cancelled.wait_until(Clock::now(), note(1));
    cancelled.cancel();
    {
        WallTimer gone(io_);
        gone.wait_until(Clock::now(), note(2));
    }
    run();
    EXPECT_TRUE(called_.empty());
}

}  // namespace
}  // namespace cfs::service
