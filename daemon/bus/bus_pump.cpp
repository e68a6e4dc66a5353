// SPDX-License-Identifier: Apache-2.0
#include "bus/bus_pump.hpp"

#include "base/file_io.hpp"

#include <boost/asio/post.hpp>

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <utility>

namespace cfs::bus {
namespace {

/// A chatty peer must not keep timers and signals waiting: after so many messages the loop has its
/// turn.
constexpr int kMessagesPerRound = 64;

/// So many bytes that the bus has not read are more than it is behind by for a moment.
constexpr int kMuchUnread = 64 << 10;
/// So often is looked whether it reads, and so often in a row it must not.
constexpr int kLooks = 10;

bool takes_bytes(int fd) {
    pollfd wanted{fd, POLLOUT, 0};
    return ::poll(&wanted, 1, 0) != 0;
}

/// Bytes on their way that the other end has not read.
int bytes_unread(int fd) {
    int bytes = 0;
    return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

}  // namespace

BusPump::BusPump(boost::asio::io_context& io,
                 sdbus::IConnection& connection,
                 std::function<void(const std::string&)> lost,
                 Patience patience)
    : io_(io),
      connection_(connection),
      lost_(std::move(lost)),
      patience_(std::move(patience)),
      fd_(io),
      wake_(io),
      timer_(io),
      watch_(io) {
    const Poll poll = poll_data(connection_);
    fd_.assign(duplicate_fd(poll.fd).release());
    if (poll.wake_fd >= 0) wake_.assign(duplicate_fd(poll.wake_fd).release());
}

BusPump::~BusPump() {
    stop();
}

void BusPump::start() {
    kick();
}

void BusPump::stop() {
    if (std::exchange(stopped_, true)) return;
    boost::system::error_code ignored;
    fd_.close(ignored);
    if (wake_.is_open()) wake_.close(ignored);
    timer_.cancel();
    watch_.cancel();
}

void BusPump::kick() {
    if (stopped_ || std::exchange(kicked_, true)) return;
    boost::asio::post(timer_.get_executor(), [this] {
        kicked_ = false;
        round();
    });
}

void BusPump::round() {
    if (stopped_) return;
    try {
        int handled = 0;
        while (!stopped_) {
            if (is_blocked() || !process_one(connection_)) break;
            if (++handled < kMessagesPerRound) continue;
            last_message_ = std::chrono::steady_clock::now();
            return kick();
        }
        if (handled > 0) last_message_ = std::chrono::steady_clock::now();
        watch_the_bus();
        if (!stopped_) arm();
    } catch (const std::exception& e) {
        fail(e.what());
    }
}

/// What was sent waits, and the bus takes nothing.
bool BusPump::is_blocked() {
    const Poll poll = poll_data(connection_);
    return (poll.events & POLLOUT) != 0 && !takes_bytes(poll.fd);
}

void BusPump::wait_to_write() {
    timer_.cancel();
    wait(fd_, boost::asio::posix::stream_descriptor::wait_write, writing_);
}

/// The kernel takes megabytes for a bus that reads nothing.
void BusPump::watch_the_bus() {
    if (stopped_ || watching_) return;
    unread_ = bytes_unread(fd_.native_handle());
    if (unread_ < kMuchUnread) return;
    watching_ = true;
    looks_ = 0;
    look_soon();
}

void BusPump::look_soon() {
    watch_.expires_after(patience_.time / kLooks);
    watch_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed && !stopped_) look();
    });
}

void BusPump::look() {
    const int before = std::exchange(unread_, bytes_unread(fd_.native_handle()));
    watching_ = unread_ >= kMuchUnread;
    if (!watching_) return;
    looks_ = unread_ < before ? 0 : looks_ + 1;
    if (looks_ == kLooks && patience_.longer && patience_.longer()) looks_ = 0;
    if (looks_ == kLooks) return give_up();
    look_soon();
}

void BusPump::give_up() {
    // Whoever still wants to send, or waits for the rest to be sent, learns it at once.
    ::shutdown(poll_data(connection_).fd, SHUT_RDWR);
    fail("it took nothing from us for " + std::to_string(patience_.time.count() / 1000) +
         " seconds; does a client not read what it asked for?");
}

void BusPump::arm() {
    if (is_blocked()) return wait_to_write();
    const Poll poll = poll_data(connection_);
    using Descriptor = boost::asio::posix::stream_descriptor;
    if ((poll.events & POLLIN) != 0) wait(fd_, Descriptor::wait_read, reading_);
    if ((poll.events & POLLOUT) != 0) wait(fd_, Descriptor::wait_write, writing_);
    if (wake_.is_open()) wait(wake_, Descriptor::wait_read, waking_);
    if (!poll.deadline) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(boost::asio::steady_timer::time_point(*poll.deadline));
    timer_.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) round();
    });
}

void BusPump::wait(boost::asio::posix::stream_descriptor& fd,
                   boost::asio::posix::stream_descriptor::wait_type what,
                   bool& waiting) {
    if (std::exchange(waiting, true)) return;
    fd.async_wait(what, [this, &waiting](const boost::system::error_code& failed) {
        // Cancelled waits run after stop(), when this may be gone: touch nothing.
        if (failed == boost::asio::error::operation_aborted) return;
        waiting = false;
        round();
    });
}

void BusPump::fail(const std::string& why) {
    stop();
    boost::asio::post(io_, [lost = lost_, why] { lost(why); });
}

}  // namespace cfs::bus
