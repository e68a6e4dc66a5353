// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dbus/bus_compat.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace cfs::bus {

/// Runs a bus connection on an io_context: drain, ask what to wait for, wait. Main thread only.
///
/// After every message that is sent outside of the pump call kick(): version 1 of the library may
/// have kept bytes, or may have read messages into its queue while it waited for a reply, and then
/// nothing would wake the descriptor.
///
/// While the bus takes none of what we send nothing is read from it either: answers that wait are
/// memory, and whoever calls without reading would have us keep them all. The bus stops taking from
/// a service when clients leave so much of its messages unread (127 MB on the system bus); a new
/// connection is free of that, so after `Patience` the old one counts as gone.
class BusPump {
 public:
    struct Patience {
        std::chrono::milliseconds time = std::chrono::seconds(30);
        std::function<bool()> longer = {};  ///< as much once more; may be missing
    };

    /// \param lost called once, from the loop, when the connection is gone; says why
    /// \pre `connection` outlives the pump
    BusPump(boost::asio::io_context& io,
            sdbus::IConnection& connection,
            std::function<void(const std::string&)> lost,
            Patience patience);
    BusPump(const BusPump&) = delete;
    BusPump& operator=(const BusPump&) = delete;
    ~BusPump();

    void start();

    /// No handler runs afterwards. Idempotent.
    void stop();

    /// When something last came over the bus, or this was made.
    [[nodiscard]] std::chrono::steady_clock::time_point last_message() const {
        return last_message_;
    }

    /// One more round, soon.
    void kick();

 private:
    void round();
    void arm();
    [[nodiscard]] bool is_blocked();
    void wait_to_write();
    void watch_the_bus();
    void look_soon();
    void look();
    void give_up();
    void wait(boost::asio::posix::stream_descriptor& fd,
              boost::asio::posix::stream_descriptor::wait_type what,
              bool& waiting);
    void fail(const std::string& why);

    boost::asio::io_context& io_;
    sdbus::IConnection& connection_;
    std::function<void(const std::string&)> lost_;
    Patience patience_;
    // Duplicates: Asio closes what it is given, and the bus is not ours to close.
    boost::asio::posix::stream_descriptor fd_;
    boost::asio::posix::stream_descriptor wake_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer watch_;
    std::chrono::steady_clock::time_point last_message_ = std::chrono::steady_clock::now();
    bool reading_ = false;
    bool writing_ = false;
    bool waking_ = false;
    bool watching_ = false;  ///< watch_ runs
    int unread_ = 0;         ///< bytes, at the last look
    int looks_ = 0;          ///< in a row that found no less unread
    bool kicked_ = false;
    bool stopped_ = false;
};

}  // namespace cfs::bus
