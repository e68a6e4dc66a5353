// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dbus/bus_compat.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <string>

namespace cfs::service {

/// Runs a bus connection on an io_context: drain, ask what to wait for, wait. Main thread only.
///
/// After every message that is sent outside of the pump call kick(): version 1 of the library may
/// have kept bytes, or may have read messages into its queue while it waited for a reply, and then
/// nothing would wake the descriptor.
class BusPump {
 public:
    /// \param lost called once, from the loop, when the connection is gone; says why
    /// \pre `connection` outlives the pump
    BusPump(boost::asio::io_context& io,
            sdbus::IConnection& connection,
            std::function<void(const std::string&)> lost);
    BusPump(const BusPump&) = delete;
    BusPump& operator=(const BusPump&) = delete;
    ~BusPump();

    void start();

    /// No handler runs afterwards. Idempotent.
    void stop();

    /// One more round, soon.
    void kick();

 private:
    void round();
    void arm();
    void wait(boost::asio::posix::stream_descriptor& fd,
              boost::asio::posix::stream_descriptor::wait_type what,
              bool& waiting);
    void fail(const std::string& why);

    boost::asio::io_context& io_;
    sdbus::IConnection& connection_;
    std::function<void(const std::string&)> lost_;
    // Duplicates: Asio closes what it is given, and the bus is not ours to close.
    boost::asio::posix::stream_descriptor fd_;
    boost::asio::posix::stream_descriptor wake_;
    boost::asio::steady_timer timer_;
    bool reading_ = false;
    bool writing_ = false;
    bool waking_ = false;
    bool kicked_ = false;
    bool stopped_ = false;
};

}  // namespace cfs::service
