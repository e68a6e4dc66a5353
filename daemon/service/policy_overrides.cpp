// SPDX-License-Identifier: Apache-2.0
#include "service/policy_overrides.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "service/bus.hpp"
#include "settings/keys.hpp"
#include "settings/load.hpp"

#include <charconv>
#include <optional>
#include <vector>

namespace cfs::service {
namespace {

constexpr std::string_view kTable = "policy.";
constexpr std::size_t kMaxShown = 100;

const settings::Key* find(const std::string& name) {
    return settings::find_key(std::string(kTable) + name);
}

std::string known_keys() {
    std::string out;
    for (const settings::Key& key : settings::keys()) {
        if (key.name.starts_with(kTable))
            out += (out.empty() ? "" : " ") + std::string(key.name.substr(kTable.size()));
    }
    return out;
}

Error refused(const std::string& name, const std::string& why) {
    return {ErrorCode::InvalidArgs,
            "policy key '" + bus_text(name, kMaxShown) + "' " + why,
            "The keys are reset " + known_keys() + "; cfsupdated.toml(5) explains them."};
}

settings::Value to_value(const sdbus::Variant& variant) {
    if (variant.containsValueOfType<bool>()) return variant.get<bool>();
    if (variant.containsValueOfType<std::string>()) return variant.get<std::string>();
    if (variant.containsValueOfType<StringList>()) return variant.get<StringList>();
    if (variant.containsValueOfType<std::int64_t>()) return variant.get<std::int64_t>();
    if (variant.containsValueOfType<std::uint64_t>()) {
        const auto number = variant.get<std::uint64_t>();
        if (number <= INT64_MAX) return static_cast<std::int64_t>(number);
    }
    return settings::OtherValue{"value of D-Bus type '" + std::string(variant.peekValueType()) +
                                "'"};
}

/// The value of a key that prints no list.
Value scalar(const std::string& toml) {
    if (toml == "true" || toml == "false") return toml == "true";
    if (toml.size() >= 2 && toml.front() == '"') return toml.substr(1, toml.size() - 2);
    std::uint64_t number = 0;
    std::from_chars(toml.data(), toml.data() + toml.size(), number);
    return number;
}

StringList texts(const std::vector<settings::Window>& windows) {
    StringList out;
    for (const settings::Window& window : windows)
        out.push_back(settings::format_window(window));
    return out;
}

void reset(const sdbus::Variant& names, PolicyOverrides& overrides) {
    if (!names.containsValueOfType<StringList>())
        throw refused("reset", "must be a list of keys (as)");
    const auto list = names.get<StringList>();
    if (list.empty()) overrides.clear();
    for (const std::string& name : list) {
        if (find(name) == nullptr) throw refused(name, "is not known");
        overrides.erase(name);
    }
}

}  // namespace

settings::PolicySettings laid_over(const settings::PolicySettings& configured,
                                   const PolicyOverrides& overrides) {
    settings::Settings out;
    out.policy = configured;
    for (const auto& [name, toml] : overrides) {
        if (find(name) == nullptr) continue;  // of another version
        try {
            std::vector<std::string> warnings;
            settings::apply_text(
                "[policy]\n" + name + " = " + toml + "\n", "SetPolicy", out, warnings);
        } catch (const Error& e) {
            log::warn(std::string("what SetPolicy set is passed over: ") + e.what());
        }
    }
    return out.policy;
}

PolicyOverrides changed_by(const bus::VariantMap& options, const PolicyOverrides& before) {
    PolicyOverrides after = before;
    if (const auto found = options.find("reset"); found != options.end())
        reset(found->second, after);
    settings::Settings scratch;
    for (const auto& [name, variant] : options) {
        if (name == "reset") continue;
        const settings::Key* const key = find(name);
        if (key == nullptr) throw refused(name, "is not known");
        const settings::Value value = to_value(variant);
        if (!key->set(scratch, value)) {
            throw refused(name,
                          "must be " + std::string(key->allowed) + ", found " +
                              bus_text(settings::describe(value)));
        }
        after[name] = key->show(scratch);
    }
    return after;
}

Dict policy_dict(const settings::PolicySettings& policy, const PolicyOverrides& overrides) {
    settings::Settings all;
    all.policy = policy;
    Dict out;
    for (const settings::Key& key : settings::keys()) {
        if (key.name.starts_with(kTable))
            out[std::string(key.name.substr(kTable.size()))] = scalar(key.show(all));
    }
    out["strict"] = policy.strict;
    out["windows"] = texts(policy.windows);
    out["reboot_windows"] = texts(policy.reboot_windows);
    StringList set;
    for (const auto& [name, toml] : overrides)
        set.push_back(name);
    out["set"] = set;
    return out;
}

}  // namespace cfs::service
