// SPDX-License-Identifier: Apache-2.0
/// \file What updates may do by themselves, and what they wait for. cfsupdated.toml(5) explains
/// each key of the table [policy]; daemon/policy/ decides by them.
#pragma once

#include "settings/window.hpp"

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cfs::settings {

/// How far an automatic update goes; each does what those before it do.
enum class PolicyLevel {
    None,      ///< nothing
    Check,     ///< looks
    Download,  ///< everything is here, and waits for a person
    Stage,     ///< ready for the next boot
    Apply,     ///< and starts it
};

inline constexpr std::array<std::pair<std::string_view, PolicyLevel>, 5> kPolicyLevels{
    {{"none", PolicyLevel::None},
     {"check", PolicyLevel::Check},
     {"download", PolicyLevel::Download},
     {"stage", PolicyLevel::Stage},
     {"apply", PolicyLevel::Apply}}};

[[nodiscard]] std::string_view to_string(PolicyLevel level);

/// What waits for nobody being at the machine.
enum class IdleWait { Never, Reboot, Always };

/// Does the vendor's rollout decide when it is this machine's turn?
enum class RolloutPart { Follow, Ignore };

struct PolicySettings {
    PolicyLevel automatic = PolicyLevel::Stage;
    /// "metered", "on-battery", "outside-window": what holds a person's update, too.
    std::vector<std::string> strict;
    bool allow_metered = false;
    unsigned battery_least = 40;  ///< percent, on battery; 0: it does not matter
    unsigned ac_least = 0;        ///< percent, while it is charged
    IdleWait idle = IdleWait::Reboot;
    bool soft_reboot = false;            ///< instead of a reboot, where that is enough
    std::vector<Window> windows;         ///< of downloads and installations; none: always
    std::vector<Window> reboot_windows;  ///< none: `windows`
    /// Since a version was first seen; from then on conditions do not hold it. 0: they always do.
    std::chrono::milliseconds max_age{std::chrono::hours(672)};
    std::chrono::milliseconds backoff{std::chrono::minutes(15)};  ///< after the first failure
    std::chrono::milliseconds backoff_max{std::chrono::hours(24)};
    RolloutPart rollout = RolloutPart::Follow;
    unsigned rollout_percent = 100;               ///< where the image does not say
    std::chrono::milliseconds rollout_spread{0};  ///< over all machines, where it does not say

    bool operator==(const PolicySettings&) const = default;
};

}  // namespace cfs::settings
