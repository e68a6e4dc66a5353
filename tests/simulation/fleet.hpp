// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "policy/decide.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <vector>

namespace cfs::test {

using policy::Time;

/// What a registry offers and when it answers; counts who asks. `open` may be missing: always.
struct Registry {
    std::string digest;
    Time published{};
    policy::Rollout rollout = {};
    std::function<bool(Time)> open = {};

    std::vector<Time> checks = {};   ///< each request, in order of time
    std::vector<Time> fetches = {};  ///< those for layers
    std::vector<Time> refused = {};  ///< while it was not open; of both kinds
};

/// So many machines with one policy, on a clock that jumps from event to event: each has its timer
/// as systemd/cfsupdated-update.timer sets it (12 h after the last run, and a delay of its own of
/// up to 4 h), asks decide() before each step as the daemon does, and is woken when a blocker says
/// so.
class Fleet {
 public:
    Fleet(std::size_t machines, settings::PolicySettings policy, Time start);

    /// Until nothing is left before `end`.
    void run(Registry& registry, Time end);

    [[nodiscard]] std::size_t updated() const;

 private:
    struct Machine {
        std::string name;
        std::chrono::seconds period{};
        policy::Release release = {};
        policy::Failures failures = {};
        bool updated = false;
    };

    struct Event {
        Time at;
        std::size_t machine;

        bool operator>(const Event& other) const {
            return at != other.at ? at > other.at : machine > other.machine;
        }
    };

    [[nodiscard]] Time wake(Machine& machine, Registry& registry, Time now) const;
    [[nodiscard]] bool request(Machine& machine,
                               Registry& registry,
                               std::vector<Time>& kind,
                               Time now) const;
    [[nodiscard]] std::vector<policy::Blocker> decide(const Machine& machine,
                                                      policy::Step step,
                                                      Time now) const;

    settings::PolicySettings policy_;
    std::vector<Machine> machines_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

/// How many of `times` lie in each step from `begin` on.
[[nodiscard]] std::vector<int> histogram(const std::vector<Time>& times,
                                         Time begin,
                                         std::chrono::minutes step,
                                         std::size_t steps);

}  // namespace cfs::test
