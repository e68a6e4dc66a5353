// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bus/initiator.hpp"
#include "client/sysupdate/acquired.hpp"
#include "client/sysupdate/checks.hpp"
#include "client/sysupdate/jobs.hpp"
#include "client/sysupdate/plan.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace cfs::sysupdate {

/// What the target "host" does, for callers that were found to be allowed it. One job at a time,
/// as with systemd; everything else is answered meanwhile. Main thread only; nothing waits.
class Host {
 public:
    struct Timing {
        std::chrono::milliseconds check{8'000};      ///< of CheckNew, at most
        std::chrono::milliseconds validate{12'000};  ///< of what asks the registry before a job
        std::chrono::milliseconds accept{19'000};    ///< until a job is accepted, or not, in all
        std::chrono::milliseconds clear{5'000};      ///< until a check makes room
    };

    Host(boost::asio::io_context& io,
         Daemon& daemon,
         Acquired& acquired,
         Checks& checks,
         Jobs& jobs,
         Timing timing);
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    ~Host();

    template <typename T>
    using Then = std::function<void(const std::variant<sdbus::Error, T>&)>;

    void known(Then<Known> then);

    /// After a look at the registry; without one that answers: what was known before.
    void look(Then<Known> then);

    struct Accepted {
        std::string version;
        std::uint64_t job = 0;
    };

    /// \param action that the caller was allowed
    void start(const Wish& wish,
               const std::string& action,
               const bus::Initiator& caller,
               Then<Accepted> then);

    /// The number of versions that were dropped.
    void vacuum(Then<std::uint32_t> then);

    // What the daemon says; of other jobs it is nothing.
    void ended(const std::string& job, const Ended& how);
    void replaced();

    /// The adapter ends: nothing begins any more, and what the daemon accepts from now on is not a
    /// job here. Idempotent.
    void stop() { stopping_ = true; }

    [[nodiscard]] bool is_busy() const { return request_ != nullptr || vacuum_ != nullptr; }

 private:
    struct Request {
        Wish wish;
        std::string action;
        bus::Initiator caller;
        Then<Accepted> then;
        boost::asio::steady_timer timer;
    };

    struct Vacuum {
        std::string job;  ///< of the daemon; empty: not accepted yet
        Then<std::uint32_t> then;
    };

    [[nodiscard]] Known knowledge(const client::Status& status) const;
    [[nodiscard]] std::optional<sdbus::Error> refuse() const;
    void decide(const std::optional<sdbus::Error>& checked);
    void carry_out(const Plan& plan);
    void accepted(const Plan& plan, const std::string& job);
    void answer(const std::variant<sdbus::Error, Accepted>& what);
    void end_vacuum(const Ended& how);
    void follow_vacuum();

    boost::asio::io_context& io_;
    Daemon& daemon_;
    Acquired& acquired_;
    Checks& checks_;
    Jobs& jobs_;
    Timing timing_;
    bool stopping_ = false;
    std::shared_ptr<Request> request_;  ///< until the daemon has said yes or no
    std::shared_ptr<Vacuum> vacuum_;
    std::shared_ptr<Host*> self_;  ///< what comes later looks whether this is still there
};

}  // namespace cfs::sysupdate
