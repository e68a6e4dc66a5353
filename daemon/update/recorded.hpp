// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "update/machine.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace cfs::update {

[[nodiscard]] inline HistoryVersion version_of(const DeploymentRecord& record) {
    return {record.version, record.image.hex()};
}

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
    try {
        auto result = std::forward<F>(verb)();
        record_end(machine, who, machine.clock.steady() - start, nullptr);
        return result;
    } catch (const Error& e) {
        record_end(machine, who, machine.clock.steady() - start, &e);
        throw;
    }
}

/// The verb let `record` go to have room: its entry says so.
void note_dropped(Machine& machine, const DeploymentRecord& record);

/// An entry of its own beside the verb's: what a boot came to, what a crash left.
void record_event(Machine& machine, const Initiator& who, HistoryEntry entry);

}  // namespace cfs::update
