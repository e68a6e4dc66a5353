// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/sysupdate/daemon.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace cfs::sysupdate {

/// Has the daemon ask the registry: one question for all who ask meanwhile, and none right after
/// another. Anybody at the machine may ask us as often as he likes, and to the daemon it is root
/// who does. Main thread only.
class Checks {
 public:
    struct Timing {
        /// A check that succeeded, or failed, counts for so long; those of the daemon for others
        /// than root.
        std::chrono::milliseconds good{20'000};
        std::chrono::milliseconds good_failed{5'000};
    };

    Checks(boost::asio::io_context& io, Daemon& daemon, Timing timing);
    Checks(const Checks&) = delete;
    Checks& operator=(const Checks&) = delete;
    ~Checks();

    /// nullopt: Daemon::status() is what the registry has.
    using Checked = std::function<void(const std::optional<sdbus::Error>& failed)>;

    /// Calls `then` once, now or later: Timeout after `patience`, and the check goes on; so many
    /// can wait, 256, further ones get LimitsExceeded.
    void check(std::chrono::milliseconds patience, Checked then);

    /// Stops one that runs, so that another job can, and calls `then` when it has ended or when
    /// `patience` is over.
    void clear(std::chrono::milliseconds patience, std::function<void()> then);

    /// What the last one found does not count any more.
    void forget() { last_.reset(); }

    /// A job of the daemon ended; of other jobs it is nothing.
    void ended(const std::string& job, const Ended& how);
    void replaced();

    /// Somebody waits.
    [[nodiscard]] bool is_asked() const { return !waiting_.empty(); }

 private:
    struct Waiting {
        Checked then;
        boost::asio::steady_timer timer;
    };

    struct Last {
        std::optional<sdbus::Error> failed;
        std::chrono::steady_clock::time_point good_until;
    };

    void begin();
    void follow(const std::string& job);
    void wait(std::chrono::milliseconds patience, Checked then);
    void finish(const std::optional<sdbus::Error>& failed);

    boost::asio::io_context& io_;
    Daemon& daemon_;
    Timing timing_;
    bool running_ = false;
    std::string job_;  ///< of the daemon; empty: not accepted yet
    std::list<std::shared_ptr<Waiting>> waiting_;
    std::optional<Last> last_;
    std::shared_ptr<Checks*> self_;  ///< what comes later looks whether this is still there
};

}  // namespace cfs::sysupdate
