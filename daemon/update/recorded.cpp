// SPDX-License-Identifier: Apache-2.0
#include "update/recorded.hpp"

#include "base/log.hpp"
#include "update/events.hpp"
#include "update/selection.hpp"

namespace cfs::update {

namespace {

/// At a shutdown there is more that can fail than the verb, and keep_finalize_failure() says it.
void tell_failure(const HistoryEntry& entry, const Initiator& who, const Error& error) {
    const std::string& kind = entry.kind;
    const bool is_finalize = kind == "finalize" && who.kind != "shutdown";
    const bool is_update = kind == "update" || kind == "stage" || kind == "switch";
    if (!is_finalize && !is_update) return;
    const std::string version =
        entry.to.version.empty() ? "" : " of version " + printable(entry.to.version);
    log::event(is_finalize ? kEventFinalizeFailed : kEventUpdateFailed,
               log::Level::Error,
               "the " + kind + version + " failed: " + error.what(),
               fields_of(error, entry.to.version, entry.to.digest));
}

}  // namespace

void record_end(Machine& machine,
                const Initiator& who,
                std::chrono::steady_clock::duration took,
                const Error* error) {
    HistoryEntry entry = std::exchange(machine.attempt, {});
    count_end(machine, {entry.fetched, entry.reused, error, machine.asked});
    if (entry.kind.empty()) return;
    entry.result = "done";
    if (error != nullptr) {
        entry.result = error->code() == ErrorCode::Cancelled ? "cancelled" : "failed";
        if (entry.result == "failed") tell_failure(entry, who, *error);
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
