// SPDX-License-Identifier: Apache-2.0
#include "policy/rules.hpp"

#include <algorithm>

namespace cfs::policy {
namespace {

// clang-format off
constexpr std::array<Rule, kReasons.size()> kRules{{
    // reason, name, code,                                      check  fetch  reboot person            admin  ages   ages_reboot
    {Reason::Level, "policy", ErrorCode::PolicyForbids,         true,  true,  true,  Person::Never,    false, false, false,
     "It says what happens by itself, not what a person may do."},
    {Reason::ShuttingDown, "shutting-down", ErrorCode::NotYet,  false, true,  true,  Person::Always,   true,  false, false,
     "What begins now is cut off a moment later."},
    {Reason::Inhibited, "shutdown-inhibited", ErrorCode::Inhibited, false, false, true,  Person::Always,   true,  false, false,
     "Somebody's work would be lost; who knows better tells the service manager so, not us."},
    {Reason::OnBattery, "on-battery", ErrorCode::OnBattery,     false, true,  true,  Person::IfStrict, false, true,  false,
     "A machine that goes out while it tries a new version uses up a try; a person sees the battery."},
    {Reason::Metered, "metered", ErrorCode::Metered,            false, true,  false, Person::IfStrict, false, true,  false,
     "A check is some kilobytes, an image can cost money; a person is shown the size and decides."},
    {Reason::NotIdle, "not-idle", ErrorCode::NotIdle,           false, true,  true,  Person::Never,    false, true,  true,
     "The person who asks is the one who works there."},
    {Reason::OutsideWindow, "outside-window", ErrorCode::OutsideWindow, false, true, true, Person::IfStrict, false, true, false,
     "A machine that is off at night would get nothing: its windows give way to max_age. A reboot's never do: "
     "who works there in the day shuts it down some time, and that starts the new version, too."},
    {Reason::Rollout, "rollout", ErrorCode::NotYet,             false, true,  false, Person::Never,    false, false, false,
     "The vendor wants few machines to meet a fault first; a person who asks wants to be among them."},
    {Reason::BackOff, "back-off", ErrorCode::NotYet,            true,  true,  false, Person::Never,    false, false, false,
     "A registry that is down is not to be met by all machines at once when it comes back."},
}};
// clang-format on

}  // namespace

const Rule& rule_of(Reason reason) {
    return *std::find_if(
        kRules.begin(), kRules.end(), [&](const Rule& rule) { return rule.reason == reason; });
}

bool concerns(const Rule& rule, Step step) {
    if (step == Step::Check) return rule.check;
    return step == Step::Reboot ? rule.reboot : rule.fetch;
}

bool holds(const Rule& rule, Trigger trigger, const std::vector<std::string>& strict) {
    if (trigger == Trigger::Timer) return true;
    if (trigger == Trigger::Admin) return rule.admin;
    if (rule.person != Person::IfStrict) return rule.person == Person::Always;
    return std::find(strict.begin(), strict.end(), rule.name) != strict.end();
}

std::string_view to_string(Reason reason) {
    return rule_of(reason).name;
}

ErrorCode error_code(Reason reason) {
    return rule_of(reason).code;
}

}  // namespace cfs::policy
