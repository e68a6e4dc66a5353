// SPDX-License-Identifier: Apache-2.0
#include "settings/policy_keys.hpp"

#include "settings/key_types.hpp"

namespace cfs::settings {
namespace {

constexpr std::array<std::string_view, 3> kStrict = {"metered", "on-battery", "outside-window"};
constexpr std::size_t kMaxWindows = 32;

bool is_strict(std::string_view word) {
    return std::find(kStrict.begin(), kStrict.end(), word) != kStrict.end();
}

template <typename Member>
Key windows_key(std::string_view name, Member member) {
    return {name,
            "a list of at most 32 windows, e.g. [\"Mon..Fri 02:00-04:30\"]",
            [member](Settings& settings, const Value& value) {
                const auto* items = std::get_if<std::vector<std::string>>(&value);
                if (items == nullptr || items->size() > kMaxWindows) return false;
                std::vector<Window> windows;
                for (const std::string& item : *items) {
                    const auto window = parse_window(item);
                    if (!window) return false;
                    windows.push_back(*window);
                }
                member(settings) = std::move(windows);
                return true;
            },
            [member](const Settings& settings) {
                std::vector<std::string> items;
                for (const Window& window : member(settings))
                    items.push_back(format_window(window));
                return list_in_quotes(items);
            }};
}

std::vector<Key> what_keys() {
    return {
        choice_key("policy.automatic",
                   "\"none\", \"check\", \"download\", \"stage\" or \"apply\"",
                   kPolicyLevels,
                   CFS_FIELD(policy.automatic)),
        list_key("policy.strict",
                 "a list of \"metered\", \"on-battery\" and \"outside-window\"",
                 CFS_FIELD(policy.strict),
                 is_strict),
        bool_key("policy.allow_metered", CFS_FIELD(policy.allow_metered)),
        count_key("policy.battery_least",
                  "a number from 0 to 100",
                  0,
                  100,
                  CFS_FIELD(policy.battery_least)),
        count_key("policy.ac_least", "a number from 0 to 100", 0, 100, CFS_FIELD(policy.ac_least)),
        choice_key(
            "policy.idle",
            "\"never\", \"reboot\" or \"always\"",
            std::array<std::pair<std::string_view, IdleWait>, 3>{{{"never", IdleWait::Never},
                                                                  {"reboot", IdleWait::Reboot},
                                                                  {"always", IdleWait::Always}}},
            CFS_FIELD(policy.idle)),
        bool_key("policy.soft_reboot", CFS_FIELD(policy.soft_reboot)),
    };
}

std::vector<Key> when_keys() {
    using namespace std::chrono_literals;
    return {
        windows_key("policy.windows", CFS_FIELD(policy.windows)),
        windows_key("policy.reboot_windows", CFS_FIELD(policy.reboot_windows)),
        duration_key("policy.max_age",
                     "a duration up to \"8784h\", e.g. \"672h\"; \"0h\" for never",
                     0ms,
                     8784h,
                     CFS_FIELD(policy.max_age)),
        duration_key("policy.backoff",
                     "a duration from \"1min\" to \"24h\", e.g. \"15min\"",
                     1min,
                     24h,
                     CFS_FIELD(policy.backoff)),
        duration_key("policy.backoff_max",
                     "a duration from \"1min\" to \"168h\", e.g. \"24h\"",
                     1min,
                     168h,
                     CFS_FIELD(policy.backoff_max)),
        choice_key("policy.rollout",
                   "\"follow\" or \"ignore\"",
                   std::array<std::pair<std::string_view, RolloutPart>, 2>{
                       {{"follow", RolloutPart::Follow}, {"ignore", RolloutPart::Ignore}}},
                   CFS_FIELD(policy.rollout)),
        count_key("policy.rollout_percent",
                  "a number from 0 to 100",
                  0,
                  100,
                  CFS_FIELD(policy.rollout_percent)),
        duration_key("policy.rollout_spread",
                     "a duration up to \"720h\", e.g. \"24h\"",
                     0ms,
                     720h,
                     CFS_FIELD(policy.rollout_spread)),
    };
}

#undef CFS_FIELD

}  // namespace

std::vector<Key> policy_keys() {
    std::vector<Key> all = what_keys();
    for (Key& key : when_keys())
        all.push_back(std::move(key));
    return all;
}

}  // namespace cfs::settings
