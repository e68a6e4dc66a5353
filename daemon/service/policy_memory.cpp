// SPDX-License-Identifier: Apache-2.0
#include "service/policy_memory.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>

namespace cfs::service {
namespace {

constexpr std::int64_t kMostFailures = 1'000'000;

std::int64_t seconds(policy::Time time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::int64_t number(const boost::json::object& object, const char* name) {
    const auto* found = object.if_contains(name);
    return found != nullptr && found->is_int64() ? std::max<std::int64_t>(found->get_int64(), 0)
                                                 : 0;
}

policy::Time moment(const boost::json::object& object, const char* name, policy::Time now) {
    // Compared as numbers: what is beyond the clock's range is beyond now, too.
    const std::int64_t at = number(object, name);
    return at >= seconds(now) ? now : policy::Time(std::chrono::seconds(at));
}

}  // namespace

std::string PolicyMemory::to_text() const {
    boost::json::object set;
    for (const auto& [name, toml] : overrides)
        set[name] = toml;
    const boost::json::object object = {{"digest", digest},
                                        {"first-seen", seconds(first_seen)},
                                        {"failures", failures.count},
                                        {"last-failure", seconds(failures.last)},
                                        {"owes-reboot", owes_reboot},
                                        {"soft-tried", soft_tried},
                                        {"set", set}};
    return boost::json::serialize(object) + "\n";
}

PolicyMemory PolicyMemory::from_text(const std::string& text, policy::Time now) {
    boost::json::error_code failed;
    const boost::json::value value = boost::json::parse(text, failed);
    PolicyMemory out;
    const auto* object = failed ? nullptr : value.if_object();
    if (object == nullptr) return out;
    if (const auto* digest = object->if_contains("digest");
        digest != nullptr && digest->is_string())
        out.digest = std::string(digest->get_string());
    out.first_seen = moment(*object, "first-seen", now);
    // Without its time a release is new, not older than any max_age.
    if (!out.digest.empty() && out.first_seen == policy::Time{}) out.first_seen = now;
    out.failures.count =
        static_cast<unsigned>(std::min(number(*object, "failures"), kMostFailures));
    out.failures.last = moment(*object, "last-failure", now);
    const auto* owes = object->if_contains("owes-reboot");
    out.owes_reboot = owes != nullptr && owes->is_bool() && owes->get_bool();
    const auto* tried = object->if_contains("soft-tried");
    if (tried != nullptr && tried->is_string()) out.soft_tried = std::string(tried->get_string());
    const auto* set = object->if_contains("set");
    if (set == nullptr || !set->is_object()) return out;
    for (const auto& each : set->get_object()) {
        if (each.value().is_string())
            out.overrides[std::string(each.key())] = std::string(each.value().get_string());
    }
    return out;
}

}  // namespace cfs::service
