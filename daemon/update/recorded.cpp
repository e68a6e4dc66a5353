// SPDX-License-Identifier: Apache-2.0
#include "update/recorded.hpp"

#include "update/selection.hpp"

namespace cfs::update {

void record_end(Machine& machine,
                const Initiator& who,
                std::chrono::steady_clock::duration took,
                const Error* error) {
    HistoryEntry entry = std::exchange(machine.attempt, {});
    if (entry.kind.empty()) return;
    entry.result = "done";
    if (error != nullptr) {
        entry.result = error->code() == ErrorCode::Cancelled ? "cancelled" : "failed";
        entry.error = to_string(error->code());
        entry.message = error->what() + (entry.message.empty() ? "" : "; " + entry.message);
    }
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    entry.duration = ms > 0 ? static_cast<std::uint64_t>(ms) : 0;
    record_event(machine, who, std::move(entry));
}

void note_dropped(Machine& machine, const DeploymentRecord& record) {
    std::string& text = machine.attempt.message;
    text += (text.empty() ? "dropped for room: " : ", ") + display_name(record);
}

void record_event(Machine& machine, const Initiator& who, HistoryEntry entry) {
    entry.initiator = who;
    entry.time = unix_seconds(machine.clock);
    machine.state.add_history(std::move(entry));
}

}  // namespace cfs::update
