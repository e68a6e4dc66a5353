// SPDX-License-Identifier: Apache-2.0
// The part of the state that remembers boots that failed.
#include "base/fs_at.hpp"
#include "update/json.hpp"
#include "update/state_dir.hpp"

namespace cfs::update {
namespace {

constexpr const char* kFallback = "fallback.json";
constexpr std::string_view kHeld = "held.json";  // held() tells

std::int64_t get_time(const boost::json::object& object) {
    return static_cast<std::int64_t>(get_number(object, "time"));
}

}  // namespace

void StateDir::find_damaged(std::vector<std::string>& problems) const {
    for (const std::string& name : list_dir(open_dir_at(fd(), ".").get())) {
        if (!name.ends_with(".json") || name.front() == '.' || name == kHeld) continue;
        if (parse_object(get(name))) continue;
        problems.push_back("'" + std::string(kPrivatePath) + "/" + printable(name) +
                           "' is damaged, it is taken for absent");
    }
}

std::optional<BootFailure> StateDir::boot_failure() const {
    const auto object = parse_object(get(kBootFailure));
    if (!object || get_string(*object, "stem").empty()) return std::nullopt;
    BootFailure out;
    out.stem = get_string(*object, "stem");
    out.reason = get_string(*object, "reason");
    out.time = get_time(*object);
    out.reboots = get_number(*object, "reboots");
    return out;
}

void StateDir::set_boot_failure(const std::optional<BootFailure>& failure) const {
    if (!failure) {
        (void)unlink_at(fd(), kBootFailure);
        return;
    }
    const boost::json::object object = {{"stem", failure->stem},
                                        {"reason", failure->reason},
                                        {"time", failure->time},
                                        {"reboots", failure->reboots}};
    put(kBootFailure, boost::json::serialize(object) + "\n");
}

std::optional<Fallback> StateDir::fallback() const {
    const auto object = parse_object(get(kFallback));
    if (!object || get_string(*object, "stem").empty()) return std::nullopt;
    Fallback out;
    out.version = get_string(*object, "version");
    out.digest = get_string(*object, "digest");
    out.stem = get_string(*object, "stem");
    out.reason = get_string(*object, "reason");
    out.time = get_time(*object);
    out.serial = get_number(*object, "serial");
    return out;
}

void StateDir::set_fallback(const std::optional<Fallback>& fallback) const {
    if (!fallback) {
        (void)unlink_at(fd(), kFallback);
        return;
    }
    const boost::json::object object = {{"version", fallback->version},
                                        {"digest", fallback->digest},
                                        {"stem", fallback->stem},
                                        {"reason", fallback->reason},
                                        {"time", fallback->time},
                                        {"serial", fallback->serial}};
    put(kFallback, boost::json::serialize(object) + "\n");
}

}  // namespace cfs::update
