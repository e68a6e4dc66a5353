// SPDX-License-Identifier: Apache-2.0
#include "client/bus/job.hpp"
#include "client/bus/password_agent.hpp"
#include "client/commands/commands.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <iomanip>
#include <iostream>
#include <sstream>

namespace cfs::client {
namespace {

using Texts = std::vector<std::string>;

constexpr int kColumn = 20;

bool is_list(const std::string& key) {
    return key == "strict" || key == "windows" || key == "reboot_windows";
}

/// As the daemon wants it: a word is a string unless it is a number or a truth.
sdbus::Variant to_variant(const std::string& key, const Texts& values) {
    if (is_list(key)) return sdbus::Variant{values};
    if (values.size() != 1) {
        throw Error(ErrorCode::InvalidArgs,
                    "'" + key + "' takes one value",
                    "Only strict, windows and reboot_windows take several, or none.");
    }
    const std::string& text = values.front();
    if (text == "true" || text == "false") return sdbus::Variant{text == "true"};
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(text.data(), end, number);
    if (failed == std::errc{} && rest == end) return sdbus::Variant{number};
    return sdbus::Variant{text};
}

boost::json::value to_json(const sdbus::Variant& value) {
    if (value.containsValueOfType<bool>()) return value.get<bool>();
    if (value.containsValueOfType<std::uint64_t>()) return value.get<std::uint64_t>();
    if (value.containsValueOfType<std::string>())
        return boost::json::string(value.get<std::string>());
    boost::json::array list;
    if (value.containsValueOfType<Texts>()) {
        for (const std::string& text : value.get<Texts>())
            list.emplace_back(text);
    }
    return list;
}

std::string policy_json(const bus::VariantMap& policy, const std::vector<Blocker>& blockers) {
    boost::json::object out{{"schema", 1}};
    boost::json::object keys;
    for (const auto& [key, value] : policy) {
        if (key != "set") keys[key] = to_json(value);
    }
    out["policy"] = keys;
    const auto set = policy.find("set");
    out["set"] = set == policy.end() ? boost::json::array() : to_json(set->second);
    boost::json::array waits;
    for (const auto& [kind, text] : blockers)
        waits.push_back(boost::json::object{{"kind", kind}, {"text", text}});
    out["blockers"] = waits;
    return boost::json::serialize(out);
}

std::string policy_text(const bus::VariantMap& policy, const std::vector<Blocker>& blockers) {
    const auto found = policy.find("set");
    const Texts set = found == policy.end() ? Texts{} : found->second.get<Texts>();
    std::ostringstream out;
    for (const auto& [key, value] : policy) {
        if (key == "set") continue;
        const bool own = std::find(set.begin(), set.end(), key) != set.end();
        out << (own ? "* " : "  ") << std::left << std::setw(kColumn) << key
            << boost::json::serialize(to_json(value)) << '\n';
    }
    for (const auto& [kind, text] : blockers)
        out << "waits (" << kind << "): " << text << '\n';
    return out.str();
}

ExitCode change(const bus::VariantMap& options, const Global& global) {
    const PasswordAgent agent(global.bus, global.ask_password);
    BusSession session(global.bus, global.ask_password);
    ManagerProxy manager(session);
    manager.set_policy(options);
    if (global.json) std::cout << policy_json(manager.policy(), manager.blockers()) << '\n';
    return ExitCode::Done;
}

}  // namespace

ExitCode run(const PolicyShow&, const Global& global) {
    BusSession session(global.bus);
    ManagerProxy manager(session);
    const bus::VariantMap policy = manager.policy();
    const std::vector<Blocker> blockers = manager.blockers();
    std::cout << (global.json ? policy_json(policy, blockers) + "\n"
                              : policy_text(policy, blockers));
    return ExitCode::Done;
}

ExitCode run(const PolicySet& options, const Global& global) {
    return change({{options.key, to_variant(options.key, options.values)}}, global);
}

ExitCode run(const PolicyReset& options, const Global& global) {
    return change({{"reset", sdbus::Variant{options.keys}}}, global);
}

}  // namespace cfs::client
