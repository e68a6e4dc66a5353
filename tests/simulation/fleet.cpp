// SPDX-License-Identifier: Apache-2.0
#include "fleet.hpp"

#include "policy/share.hpp"

#include <algorithm>

namespace cfs::test {
namespace {

using namespace std::chrono_literals;
using policy::Step;

constexpr std::chrono::seconds kInactive = 12h;
constexpr std::chrono::seconds kMostDelay = 4h;

std::chrono::seconds part(std::chrono::seconds whole, double share) {
    return std::chrono::seconds(
        static_cast<std::int64_t>(static_cast<double>(whole.count()) * share));
}

}  // namespace

Fleet::Fleet(std::size_t machines, settings::PolicySettings policy, Time start)
    : policy_(std::move(policy)) {
    for (std::size_t number = 0; number < machines; ++number) {
        Machine machine;
        machine.name = "machine " + std::to_string(number);
        // systemd's delay is fixed per machine, too; where in its period a machine is when the
        // simulation begins is of no purpose that the policy has.
        machine.period = kInactive + part(kMostDelay, policy::share_of(machine.name, "timer"));
        events_.push(
            {start + part(machine.period, policy::share_of(machine.name, "phase")), number});
        machines_.push_back(std::move(machine));
    }
}

std::vector<policy::Blocker> Fleet::decide(const Machine& machine, Step step, Time now) const {
    policy::Question question;
    question.step = step;
    question.now = now;
    question.release = machine.release;
    question.failures = machine.failures;
    question.machine = machine.name;
    return policy::decide(policy_, question);
}

bool Fleet::request(Machine& machine, Registry& registry, std::vector<Time>& kind, Time now) const {
    if (registry.open && !registry.open(now)) {
        registry.refused.push_back(now);
        machine.failures = {machine.failures.count + 1, now};
        return false;
    }
    kind.push_back(now);
    machine.failures = {};
    return true;
}

/// When it is to be woken again.
Time Fleet::wake(Machine& machine, Registry& registry, Time now) const {
    const Time timer = now + machine.period;
    const auto later = [&](const std::vector<policy::Blocker>& blockers) {
        return std::min(timer, policy::ask_again(blockers).value_or(timer));
    };
    if (const auto blockers = decide(machine, Step::Check, now); !blockers.empty())
        return later(blockers);
    if (!request(machine, registry, registry.checks, now))
        return later(decide(machine, Step::Check, now));
    if (machine.updated || now < registry.published) return timer;
    if (machine.release.digest != registry.digest)
        machine.release = {registry.digest, now, registry.rollout};
    if (const auto blockers = decide(machine, Step::Stage, now); !blockers.empty())
        return later(blockers);
    if (!request(machine, registry, registry.fetches, now))
        return later(decide(machine, Step::Check, now));
    machine.updated = true;
    return timer;
}

void Fleet::run(Registry& registry, Time end) {
    while (events_.top().at < end) {
        const Event event = events_.top();
        events_.pop();
        const Time next = wake(machines_.at(event.machine), registry, event.at);
        events_.push({std::max(next, event.at + 1s), event.machine});
    }
}

std::size_t Fleet::updated() const {
    return static_cast<std::size_t>(
        std::count_if(machines_.begin(), machines_.end(), [](const Machine& machine) {
            return machine.updated;
        }));
}

std::vector<int> histogram(const std::vector<Time>& times,
                           Time begin,
                           std::chrono::minutes step,
                           std::size_t steps) {
    std::vector<int> out(steps);
    for (const Time time : times) {
        if (time < begin) continue;
        const auto at = static_cast<std::size_t>((time - begin) / step);
        if (at < steps) ++out.at(at);
    }
    return out;
}

}  // namespace cfs::test
