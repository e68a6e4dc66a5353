// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bus/bus_error.hpp"
#include "bus/bus_pump.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cfs::bus {

/// What a person who is asked for a password should know, by names that an action's message may
/// use. Callers wrote it: cut, and without control characters.
using ActionDetails = std::map<std::string, std::string>;

/// Asks polkitd, org.freedesktop.PolicyKit1, about the callers of this bus. Never waits. Main
/// thread only. Whoever owns that name decides: on the system bus the bus policy sees to it that
/// this is polkitd.
class Polkit {
 public:
    struct Timing {
        std::chrono::milliseconds rules{20'000};       ///< nobody is asked
        std::chrono::milliseconds person{5 * 60'000};  ///< somebody types a password
    };

    struct Question {
        Caller caller;            ///< by its bus name, which nobody can take over
        std::string action = {};  ///< its id
        ActionDetails details;
    };

    /// nullopt: yes; else AccessDenied or InteractiveAuthorizationRequired, with what to do.
    using Answer = std::function<void(const std::optional<sdbus::Error>& refused)>;

    Polkit(sdbus::IConnection& connection, BusPump& pump, Timing timing);
    Polkit(const Polkit&) = delete;
    Polkit& operator=(const Polkit&) = delete;
    ~Polkit();

    /// `answer` runs later, from the loop, unless the question is withdrawn or this is destroyed.
    /// \returns a number for withdraw() \throws sdbus::Error when the bus is gone
    std::uint64_t ask(const Question& question, Answer answer);

    /// A dialog that is open is closed. Nothing for a question that was answered.
    void withdraw(std::uint64_t id);

 private:
    using Reply = sdbus::Struct<bool, bool, std::map<std::string, std::string>>;

    void answered(std::uint64_t id, const CallError& failed, const Reply& reply);
    void close_dialog(std::uint64_t id);

    struct Open {
        Question question;
        Answer answer;
    };

    BusPump& pump_;
    Timing timing_;
    std::map<std::uint64_t, Open> open_;
    std::uint64_t last_id_ = 0;
    std::unique_ptr<sdbus::IProxy> authority_;  // last: its pending replies refer to the rest
};

}  // namespace cfs::bus
