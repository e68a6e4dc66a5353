// SPDX-License-Identifier: Apache-2.0
#include "service/condition_values.hpp"

#include "service/bus.hpp"

#include <algorithm>

namespace cfs::service {
namespace {

constexpr std::size_t kMaxInhibitors = 64;
constexpr std::size_t kMaxWho = 100;
constexpr std::size_t kMaxWhy = 200;
constexpr std::uint32_t kMeteredUnknown = 0;
constexpr std::uint32_t kMeteredYes = 1;
constexpr std::uint32_t kMeteredGuessYes = 3;
constexpr std::uint32_t kMeteredGuessNo = 4;

template <typename T>
std::optional<T> find(const bus::VariantMap& properties, const char* name) {
    const auto found = properties.find(name);
    if (found == properties.end() || !found->second.containsValueOfType<T>()) return std::nullopt;
    return found->second.get<T>();
}

/// Is `word` one of "shutdown:sleep"?
bool lists(std::string_view list, std::string_view word) {
    for (;;) {
        const std::size_t colon = list.find(':');
        if (list.substr(0, colon) == word) return true;
        if (colon == list.npos) return false;
        list.remove_prefix(colon + 1);
    }
}

}  // namespace

void read_network(const bus::VariantMap& properties, policy::Conditions& into) {
    const auto metered = find<std::uint32_t>(properties, "Metered");
    into.metered.reset();
    if (!metered || *metered == kMeteredUnknown || *metered > kMeteredGuessNo) return;
    into.metered = *metered == kMeteredYes || *metered == kMeteredGuessYes;
}

void read_power(const bus::VariantMap& properties, policy::Conditions& into) {
    into.on_battery = find<bool>(properties, "OnBattery");
}

void read_battery(const bus::VariantMap& properties, policy::Conditions& into) {
    const auto percent = find<double>(properties, "Percentage");
    const bool present = find<bool>(properties, "IsPresent").value_or(false);
    into.battery_percent.reset();
    // Also refuses what is no number.
    if (!present || !percent || !(*percent >= 0 && *percent <= 100)) return;
    into.battery_percent = static_cast<unsigned>(*percent);
}

void read_login(const bus::VariantMap& properties, policy::Conditions& into) {
    into.idle = find<bool>(properties, "IdleHint");
    into.shutting_down = find<bool>(properties, "PreparingForShutdown").value_or(false);
}

void read_inhibitors(const std::vector<Inhibitor>& all, pid_t self, policy::Conditions& into) {
    into.blocks_shutdown.clear();
    for (const Inhibitor& each : all) {
        const bool ours = each.get<5>() == static_cast<std::uint32_t>(self);
        const bool blocks = each.get<3>().rfind("block", 0) == 0;
        if (ours || !blocks || !lists(each.get<0>(), "shutdown")) continue;
        into.blocks_shutdown.push_back(bus_line(each.get<1>(), kMaxWho) + ": " +
                                       bus_line(each.get<2>(), kMaxWhy));
        if (into.blocks_shutdown.size() == kMaxInhibitors) return;
    }
}

}  // namespace cfs::service
