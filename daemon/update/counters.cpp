// SPDX-License-Identifier: Apache-2.0
// The part of the state that only ever counts up, for monitoring. Nothing decides by it, so nothing
// that is wrong with it may stop anything.
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "update/json.hpp"
#include "update/recorded.hpp"
#include "update/state_dir.hpp"

namespace cfs::update {
namespace {

constexpr const char* kCounters = "counters.json";

std::string text_of(const Counters& counters) {
    boost::json::object failures;
    for (const auto& [error, count] : counters.failures)
        failures[error] = count;
    const boost::json::object object = {{"fetched", counters.fetched},
                                        {"reused", counters.reused},
                                        {"last_check", counters.last_check},
                                        {"last_success", counters.last_success},
                                        {"failures", std::move(failures)}};
    return boost::json::serialize(object) + "\n";
}

}  // namespace

Counters StateDir::counters() const {
    Counters out;
    const auto object = parse_object(get(kCounters));
    if (!object) return out;
    out.fetched = get_number(*object, "fetched");
    out.reused = get_number(*object, "reused");
    out.last_check = static_cast<std::int64_t>(get_number(*object, "last_check"));
    out.last_success = static_cast<std::int64_t>(get_number(*object, "last_success"));
    const auto* failures = object->if_contains("failures");
    if (failures == nullptr || !failures->is_object()) return out;
    for (const auto& each : failures->as_object())
        out.failures[std::string(each.key())] = get_number(failures->as_object(), each.key());
    return out;
}

void StateDir::set_counters(const Counters& counters) const noexcept {
    try {
        put(kCounters, text_of(counters));
    } catch (const std::exception& e) {
        log::warn(std::string("what monitoring reads is not counted: ") + e.what());
    }
}

void count_end(Machine& machine, const Ending& ending) {
    Counters counters = machine.state.counters();
    counters.fetched += ending.fetched;
    counters.reused += ending.reused;
    const bool cancelled = ending.error != nullptr && ending.error->code() == ErrorCode::Cancelled;
    if (ending.error != nullptr && !cancelled)
        ++counters.failures[std::string(to_string(ending.error->code()))];
    if (ending.asked) {
        counters.last_check = unix_seconds(machine.clock);
        if (ending.error == nullptr) counters.last_success = counters.last_check;
    }
    machine.state.set_counters(counters);
}

}  // namespace cfs::update
