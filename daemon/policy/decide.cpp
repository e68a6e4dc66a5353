// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.hpp"

#include "policy/rules.hpp"
#include "policy/share.hpp"

#include <algorithm>

namespace cfs::policy {
namespace {

using settings::IdleWait;
using settings::PolicySettings;

constexpr std::size_t kMaxNamed = 3;  // inhibitors in one text

class Judge {
 public:
    Judge(const PolicySettings& policy, const Question& question)
        : policy_(policy), question_(question), here_(question.conditions) {}

    std::vector<Blocker> all() {
        level();
        shutting_down();
        inhibited();
        power();
        if (here_.metered.value_or(false) && !policy_.allow_metered)
            add(Reason::Metered, "the network connection is metered");
        idle();
        window();
        rollout();
        back_off();
        return std::move(blockers_);
    }

 private:
    void level() {
        const auto last = goal(policy_.automatic);
        if (last && question_.step <= *last) return;
        add(Reason::Level,
            "policy.automatic is \"" + std::string(settings::to_string(policy_.automatic)) +
                "\": this is left to a person");
    }

    void shutting_down() {
        if (here_.shutting_down) add(Reason::ShuttingDown, "the machine is about to shut down");
    }

    void inhibited() {
        if (here_.blocks_shutdown.empty()) return;
        std::string names;
        const std::size_t shown = std::min(here_.blocks_shutdown.size(), kMaxNamed);
        for (std::size_t at = 0; at < shown; ++at)
            names += (at == 0 ? "" : "; ") + here_.blocks_shutdown[at];
        if (shown < here_.blocks_shutdown.size())
            names += " and " + std::to_string(here_.blocks_shutdown.size() - shown) + " more";
        add(Reason::Inhibited, "a program keeps the machine from shutting down: " + names);
    }

    void power() {
        if (!here_.battery_percent) return;
        const bool on_battery = here_.on_battery.value_or(false);
        const unsigned least = on_battery ? policy_.battery_least : policy_.ac_least;
        if (*here_.battery_percent >= least) return;
        add(Reason::OnBattery,
            std::string(on_battery ? "on battery" : "the battery is being charged and") +
                (on_battery ? " with " : " has ") + std::to_string(*here_.battery_percent) +
                " percent; at least " + std::to_string(least) + " are needed");
    }

    void idle() {
        const bool waits = policy_.idle == IdleWait::Always ||
                           (policy_.idle == IdleWait::Reboot && question_.step == Step::Reboot);
        if (waits && !here_.idle.value_or(true))
            add(Reason::NotIdle, "somebody is working at the machine");
    }

    void window() {
        const bool reboot = question_.step == Step::Reboot && !policy_.reboot_windows.empty();
        const Windows& windows = reboot ? policy_.reboot_windows : policy_.windows;
        if (is_open(windows, question_.now)) return;
        const auto opens = next_change(windows, question_.now);
        add(Reason::OutsideWindow,
            std::string(reboot ? "policy.reboot_windows opens " : "policy.windows opens ") +
                (opens ? local_text(*opens) : "not within the next nine days"),
            opens);
    }

    void rollout() {
        const Release& release = question_.release;
        if (release.digest.empty()) return;
        const double share = share_of(question_.machine, release.digest);
        const auto when = turn(release.rollout, policy_, release.first_seen, share);
        if (when && *when <= question_.now) return;
        add(Reason::Rollout,
            when
                ? "this version is rolled out in steps; this machine's turn is " + local_text(*when)
                : "this version is rolled out in steps, and this machine is not among them yet",
            when);
    }

    void back_off() {
        const Failures& failures = question_.failures;
        if (failures.count == 0) return;
        const auto wait = policy::back_off(
            policy_.backoff, policy_.backoff_max, failures.count, question_.machine);
        // A clock that was put back must not make it longer than it was meant to be.
        const Time until = std::min(failures.last, question_.now) + wait;
        if (until <= question_.now) return;
        add(Reason::BackOff,
            "it failed " + std::to_string(failures.count) + " times in a row; next try " +
                local_text(until),
            until);
    }

    /// Does max_age release it, and since when?
    [[nodiscard]] std::optional<Time> released(const Rule& rule) const {
        const bool ages = question_.step == Step::Reboot ? rule.ages_reboot : rule.ages;
        if (!ages || policy_.max_age.count() == 0 || question_.release.digest.empty())
            return std::nullopt;
        return question_.release.first_seen + policy_.max_age;
    }

    void add(Reason reason, std::string text, std::optional<Time> until = std::nullopt) {
        const Rule& rule = rule_of(reason);
        if (!concerns(rule, question_.step) || !holds(rule, question_.trigger, policy_.strict))
            return;
        const auto release = released(rule);
        if (release && *release <= question_.now) return;
        if (release && (!until || *release < *until)) {
            until = release;
            text += ". It goes on all the same after " + local_text(*release);
        }
        blockers_.push_back({reason, std::move(text), until});
    }

    const PolicySettings& policy_;
    const Question& question_;
    const Conditions& here_;
    std::vector<Blocker> blockers_;
};

}  // namespace

std::vector<Blocker> decide(const PolicySettings& policy, const Question& question) {
    return Judge(policy, question).all();
}

std::optional<Step> goal(settings::PolicyLevel level) {
    switch (level) {
        case settings::PolicyLevel::None:
            return std::nullopt;
        case settings::PolicyLevel::Check:
            return Step::Check;
        case settings::PolicyLevel::Download:
            return Step::Download;
        case settings::PolicyLevel::Stage:
            return Step::Stage;
        case settings::PolicyLevel::Apply:
            return Step::Reboot;
    }
    return std::nullopt;
}

std::optional<Time> ask_again(const std::vector<Blocker>& blockers) {
    std::optional<Time> first;
    for (const Blocker& blocker : blockers) {
        if (blocker.until && (!first || *blocker.until < *first)) first = blocker.until;
    }
    return first;
}

}  // namespace cfs::policy
