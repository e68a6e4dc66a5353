// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "update/machine.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cfs::update {

[[nodiscard]] inline HistoryVersion version_of(const DeploymentRecord& record) {
    return {record.version, record.image.hex()};
}

/// What monitoring counts of a verb.
struct Ending {
    std::uint64_t fetched = 0;
    std::uint64_t reused = 0;
    const Error* error = nullptr;  ///< nullptr: it succeeded
    bool asked = false;            ///< it looked whether there is something newer
};

/// Adds it to the counters. \pre the caller holds the deployments' lock
void count_end(Machine& machine, const Ending& ending);

/// Ends machine.attempt, if it has a kind, and adds it. \param error nullptr: it succeeded
void record_end(Machine& machine,
                const Initiator& who,
                std::chrono::steady_clock::duration took,
                const Error* error);

/// Runs a verb; what it leaves in machine.attempt goes into the history with how it ended. \pre the
/// caller holds the deployments' lock
template <typename F>
auto recorded(Machine& machine, const Initiator& who, F&& verb) {
    const auto start = machine.clock.steady();
    machine.attempt = {};
    machine.asked = false;
    try {
        auto result = std::forward<F>(verb)();
        record_end(machine, who, machine.clock.steady() - start, nullptr);
        return result;
    } catch (const Error& e) {
        record_end(machine, who, machine.clock.steady() - start, &e);
        throw;
    }
}

/// Runs a check, which is no entry of the history: its end is counted.
template <typename F>
auto counted_check(Machine& machine, F&& verb) {
    try {
        auto result = std::forward<F>(verb)();
        count_end(machine, {0, 0, nullptr, true});
        return result;
    } catch (const Error& e) {
        count_end(machine, {0, 0, &e, true});
        throw;
    }
}

/// The verb let `record` go to have room: its entry says so.
void note_dropped(Machine& machine, const DeploymentRecord& record);

/// An entry of its own beside the verb's: what a boot came to, what a crash left.
void record_event(Machine& machine, const Initiator& who, HistoryEntry entry);

}  // namespace cfs::update
