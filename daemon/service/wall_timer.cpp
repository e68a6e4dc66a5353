// SPDX-License-Identifier: Apache-2.0
#include "service/wall_timer.hpp"

#include "base/error.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace cfs::service {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

int make_timer() {
    const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0) throw_errno("making a timer");
    return fd;
}

/// Zero would disarm it.
struct timespec to_timespec(std::chrono::system_clock::time_point when) {
    const nanoseconds since = std::max<nanoseconds>(when.time_since_epoch(), nanoseconds(1));
    const auto whole = std::chrono::duration_cast<seconds>(since);
    return {whole.count(), static_cast<long>((since - whole).count())};
}

}  // namespace

WallTimer::WallTimer(boost::asio::io_context& io, Set set)
    : set_(set != nullptr ? set : ::timerfd_settime),
      timer_(io, make_timer()),
      self_(std::make_shared<WallTimer*>(this)) {}

WallTimer::~WallTimer() = default;

void WallTimer::wait_until(std::chrono::system_clock::time_point when, std::function<void()> then) {
    cancel();
    struct itimerspec wanted {};
    wanted.it_value = to_timespec(when);
    const int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    // timerfd_create(2): told of a clock that was set, or of a sleep, since it was last looked at.
    // It is armed all the same.
    if (set_(timer_.native_handle(), flags, &wanted, nullptr) != 0 && errno != ECANCELED)
        throw_errno("setting a timer");
    then_ = std::move(then);
    listen();
}

void WallTimer::cancel() {
    then_ = nullptr;
    timer_.cancel();
    const struct itimerspec none {};
    (void)set_(timer_.native_handle(), 0, &none, nullptr);
}

void WallTimer::listen() {
    timer_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [weak = std::weak_ptr(self_)](const boost::system::error_code& failed) {
                          const auto self = weak.lock();
                          if (failed || !self || !(*self)->then_) return;
                          // One that was waited for before: the descriptor is the same.
                          if (!(*self)->expired()) return (*self)->listen();
                          std::exchange((*self)->then_, nullptr)();
                      });
}

bool WallTimer::expired() {
    std::uint64_t times = 0;
    return ::read(timer_.native_handle(), &times, sizeof times) >= 0 || errno == ECANCELED;
}

}  // namespace cfs::service
