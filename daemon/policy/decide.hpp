// SPDX-License-Identifier: Apache-2.0
/// \file What may happen now, and if not, what it waits for. The one place where policy is decided:
/// the same for a software center, for the command line and for the timer. DECISIONS.md beside this
/// file is the table that comes of it, made and compared by a test. Pure: values in, values out.
#pragma once

#include "base/error.hpp"
#include "policy/calendar.hpp"
#include "policy/rollout.hpp"
#include "settings/policy_settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::policy {

/// Who wants it.
enum class Trigger {
    Timer,  ///< nobody: the timer, or a software center in the background
    Gui,    ///< a person, in a software center
    Cli,    ///< a person, at a terminal
    Admin,  ///< root, or who has root's password
};

/// What is wanted. Download and Stage fetch and write; Reboot starts what is ready.
enum class Step { Check, Download, Stage, Reboot };

enum class Reason {
    Level,  ///< policy.automatic does not go so far
    ShuttingDown,
    Metered,
    OnBattery,
    OutsideWindow,
    NotIdle,
    Inhibited,
    Rollout,
    BackOff,
};

/// "metered", "on-battery", ...: the first member of the property Blockers.
[[nodiscard]] std::string_view to_string(Reason reason);

/// Under what name a call is refused because of it.
[[nodiscard]] ErrorCode error_code(Reason reason);

/// What the machine is like. What nobody could tell is not set, and holds nothing: a server has no
/// battery, and a service that hangs must not keep a machine from its fixes.
struct Conditions {
    std::optional<bool> metered;
    std::optional<bool> on_battery;
    std::optional<unsigned> battery_percent;
    std::optional<bool> idle;
    bool shutting_down = false;
    std::vector<std::string> blocks_shutdown;  ///< logind's block inhibitors: who and why

    bool operator==(const Conditions&) const = default;
};

/// What would be installed. Known after a check.
struct Release {
    std::string digest;  ///< of the manifest; empty: not known
    Time first_seen{};   ///< by this machine
    Rollout rollout = {};
};

/// Of automatic runs, in a row.
struct Failures {
    unsigned count = 0;
    Time last{};
};

struct Question {
    Step step = Step::Check;
    Trigger trigger = Trigger::Timer;
    Time now{};
    Conditions conditions = {};
    Release release = {};
    Failures failures = {};
    std::string machine = {};  ///< see share_of()
};

struct Blocker {
    Reason reason = Reason::Level;
    std::string text;           ///< one sentence; `until` is in it
    std::optional<Time> until;  ///< when to ask again at the latest; unset: when conditions change

    bool operator==(const Blocker&) const = default;
};

/// Empty: go on. All that is in the way, the ones that time does not cure first.
[[nodiscard]] std::vector<Blocker> decide(const settings::PolicySettings& policy,
                                          const Question& question);

/// The last step of an automatic run by this policy; nullopt: none at all.
[[nodiscard]] std::optional<Step> goal(settings::PolicyLevel level);

/// The earliest moment at which one of them says to ask again.
[[nodiscard]] std::optional<Time> ask_again(const std::vector<Blocker>& blockers);

}  // namespace cfs::policy
