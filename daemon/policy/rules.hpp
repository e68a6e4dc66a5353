// SPDX-License-Identifier: Apache-2.0
/// \file Whom each reason holds, at which steps, and why: the table behind decide().
#pragma once

#include "policy/decide.hpp"

#include <array>
#include <string_view>
#include <vector>

namespace cfs::policy {

/// Does it hold a person, at a terminal or in a software center?
enum class Person { Never, IfStrict, Always };

struct Rule {
    Reason reason;
    std::string_view name;
    ErrorCode code;
    bool check;   ///< does it concern Step::Check
    bool fetch;   ///< Step::Download, Step::Stage
    bool reboot;  ///< Step::Reboot
    Person person;
    bool admin;            ///< holds root, too
    bool ages;             ///< max_age releases it, but for a reboot
    bool ages_reboot;      ///< and for a reboot
    std::string_view why;  ///< it is so
};

inline constexpr std::array kReasons{Reason::Level,
                                     Reason::ShuttingDown,
                                     Reason::Inhibited,
                                     Reason::OnBattery,
                                     Reason::Metered,
                                     Reason::NotIdle,
                                     Reason::OutsideWindow,
                                     Reason::Rollout,
                                     Reason::BackOff};

[[nodiscard]] const Rule& rule_of(Reason reason);
[[nodiscard]] bool concerns(const Rule& rule, Step step);

/// \param strict the setting policy.strict
[[nodiscard]] bool holds(const Rule& rule, Trigger trigger, const std::vector<std::string>& strict);

}  // namespace cfs::policy
