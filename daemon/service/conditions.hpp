// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "policy/decide.hpp"
#include "service/bus.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cfs::service {

/// What NetworkManager, UPower and logind say about the machine. Listens only between start() and
/// stop(), asks only when one of them says that something changed, and never polls: while nobody
/// wants to know, nothing wakes us. Main thread only; nothing waits.
///
/// They may be absent, slow, restarted, or say nonsense: what was not said in time, or in the
/// documented type, is not set. None is started for our sake. A signal is believed only so far that
/// its service is asked again, because anybody on the bus can send us one; and that at most a few
/// times a second.
class ConditionWatch {
 public:
    struct Timing {
        std::chrono::milliseconds patience{2'000};  ///< for one answer
        std::chrono::milliseconds settle{200};      ///< from a signal to the question
    };

    /// \param changed now() did, and no answer is due; from the loop; must not throw
    /// \pre `io`, `connection` and `pump` outlive this
    ConditionWatch(boost::asio::io_context& io,
                   sdbus::IConnection& connection,
                   BusPump& pump,
                   Timing timing,
                   std::function<void()> changed);
    ConditionWatch(const ConditionWatch&) = delete;
    ConditionWatch& operator=(const ConditionWatch&) = delete;
    ~ConditionWatch();

    /// Nothing when it listens already. \throws sdbus::Error when the bus is gone
    void start();

    void stop();

    /// Has `then` called, from the loop, when each service was asked after this call and answered
    /// or let its time pass. Forgotten by stop(). \throws sdbus::Error
    void know(std::function<void()> then);

    /// It listens, and no answer is due.
    [[nodiscard]] bool knows() const;

    /// Of the last answers; all unset before the first.
    [[nodiscard]] const policy::Conditions& now() const { return now_; }

 private:
    class Peer;

    void told(const policy::Conditions& before);
    void settled();

    boost::asio::io_context& io_;
    sdbus::IConnection& connection_;
    BusPump& pump_;
    Timing timing_;
    std::function<void()> changed_;
    policy::Conditions now_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::vector<std::function<void()>> waiting_;
    bool news_ = false;
    std::shared_ptr<ConditionWatch*> self_;  ///< what is posted looks whether this is still there
};

}  // namespace cfs::service
