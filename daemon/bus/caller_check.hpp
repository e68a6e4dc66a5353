// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bus/initiator.hpp"
#include "bus/polkit.hpp"
#include "bus/reply.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cfs::bus {

/// Says who may do what: root everything, and the user that the daemon itself runs as (a private or
/// session bus); others what polkit allows them, and where there is no polkit nothing. Main thread
/// only; nothing waits.
///
/// Callers are hostile: so many checks of one connection, of one user and of all may be under way,
/// further calls are refused with Busy. When a caller leaves the bus its dialog is closed.
class CallerCheck {
 public:
    struct Limits {
        std::size_t per_caller = 8;  ///< checks of one connection
        std::size_t per_user = 16;   ///< questions to polkit
        std::size_t of_users = 128;  ///< questions to polkit, all users'
        std::size_t in_all = 512;    ///< checks; what is kept of one is some kilobytes
    };

    struct Config {
        bool polkit = true;  ///< false: nobody but root and our own user
        Polkit::Timing timing = {};
        Limits limits = {};
    };

    /// What is to be allowed.
    struct Ask {
        std::vector<std::string> actions;  ///< ids for polkit; all of them
        ActionDetails details = {};
        /// Not empty: what only root may do, whatever polkit says, e.g. "read this".
        std::string root_only = {};
        std::optional<std::uint32_t> owner = {};  ///< this user passes: it is its own job
    };

    /// Who was allowed it, or the refusal: AccessDenied, InteractiveAuthorizationRequired, Busy.
    struct Permit {
        std::optional<sdbus::Error> refused;
        Initiator caller;
    };

    using Verdict = std::function<void(const Permit&)>;

    /// \pre `io` runs for as long as checks are under way
    CallerCheck(boost::asio::io_context& io,
                sdbus::IConnection& connection,
                BusPump& pump,
                Config config);
    CallerCheck(const CallerCheck&) = delete;
    CallerCheck& operator=(const CallerCheck&) = delete;
    ~CallerCheck();

    /// `then` runs later, from the loop. It is destroyed without being called when this is
    /// destroyed first, or the caller leaves. \throws Busy
    void check(const Caller& caller, Ask ask, Verdict then);

    [[nodiscard]] bool is_asking() const { return !pending_.empty(); }

    /// Runs `f(*reply, caller)` once `caller` is found to be allowed; a refusal, and what `f`
    /// throws, answers the call.
    template <typename R, typename F>
    void guard_call(const Caller& caller, const std::shared_ptr<R>& reply, Ask ask, F f) {
        guard(*reply, [&] {
            check(caller, std::move(ask), [reply, f = std::move(f)](const Permit& permit) {
                if (permit.refused) return reply->fail(*permit.refused);
                guard(*reply, [&] { f(*reply, permit.caller); });
            });
        });
    }

 private:
    struct Pending {
        Caller caller;
        Ask ask;
        Verdict then;
        std::optional<std::uint32_t> asks_polkit = {};  ///< the user whom polkit is asked about
        std::size_t next_action = 0;
        std::uint64_t question = 0;
        sdbus::Slot watch = {};
    };

    void admit(const Caller& caller) const;
    void identified(std::uint64_t id, const CallError& failed, std::uint32_t uid);
    [[nodiscard]] std::optional<Error> refuse(const Ask& ask, std::uint32_t uid) const;
    void ask_polkit(std::uint64_t id, std::uint32_t uid);
    void ask_next(std::uint64_t id);
    void watch(std::uint64_t id);
    void caller_left(std::uint64_t id);
    void finish(std::uint64_t id, const std::optional<sdbus::Error>& refused, std::uint32_t uid);

    boost::asio::io_context& io_;
    sdbus::IConnection& connection_;
    BusPump& pump_;
    Config config_;
    std::unique_ptr<Polkit> polkit_;
    std::map<std::uint64_t, Pending> pending_;
    std::uint64_t last_id_ = 0;
    std::shared_ptr<CallerCheck*> self_;  ///< what is posted looks whether this is still there
    std::unique_ptr<sdbus::IProxy> bus_daemon_;
};

}  // namespace cfs::bus
