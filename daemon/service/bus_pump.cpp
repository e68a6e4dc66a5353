// SPDX-License-Identifier: Apache-2.0
#include "service/bus_pump.hpp"

#include "base/file_io.hpp"

#include <boost/asio/post.hpp>

#include <poll.h>

#include <utility>

namespace cfs::service {
namespace {

/// A chatty peer must not keep timers and signals waiting: after so many messages the loop has its
/// turn.
constexpr int kMessagesPerRound = 64;

}  // namespace

BusPump::BusPump(boost::asio::io_context& io,
                 sdbus::IConnection& connection,
                 std::function<void(const std::string&)> lost)
    : io_(io), connection_(connection), lost_(std::move(lost)), fd_(io), wake_(io), timer_(io) {
    const bus::Poll poll = bus::poll_data(connection_);
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
        while (!stopped_ && bus::process_one(connection_)) {
            if (++handled == kMessagesPerRound) return kick();
        }
        if (!stopped_) arm();
    } catch (const std::exception& e) {
        fail(e.what());
    }
}

void BusPump::arm() {
    const bus::Poll poll = bus::poll_data(connection_);
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

}  // namespace cfs::service
