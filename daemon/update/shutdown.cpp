// SPDX-License-Identifier: Apache-2.0
#include "update/shutdown.hpp"

#include "base/error.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "update/deploy.hpp"
#include "update/events.hpp"
#include "update/recorded.hpp"
#include "update/trial.hpp"
#include "update/verbs.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

/// Nobody waits for a bar.
class QuietProgress final : public ProgressSink {
 public:
    void stage(std::string_view) override {}

    void bytes(std::uint64_t, std::uint64_t, std::uint64_t) override {}

    void message(std::string_view text) override { log::info("shutdown: " + std::string(text)); }
};

/// Most shutdowns have nothing to do, and do not look at the ESP for that.
bool may_wait(const std::vector<DeploymentRecord>& records) {
    return std::any_of(records.begin(), records.end(), [](const auto& record) {
        return record.phase == Phase::Staged || record.phase == Phase::Finalizing ||
               record.phase == Phase::Armed;
    });
}

/// Whoever is killed now, or loses power, has left this.
void note_beginning(Machine& machine, const DeploymentRecord& pending) {
    machine.state.set_finalize_failure(
        LastError{std::string(to_string(ErrorCode::Cancelled)),
                  "making version " + printable(pending.version) + " ready was interrupted",
                  "what changed in /etc shortly before may be missing in it: compare with "
                  "'cfsctl etc diff', or 'cfsctl rollback' and restart once more",
                  "",
                  unix_seconds(machine.clock)});
}

ShutdownResult make_ready(Machine& machine, std::string& version) {
    Overview all;
    take_overview(machine, all);
    ShutdownResult out;
    if (all.pending == nullptr) return out;
    const DeploymentRecord pending = *all.pending;
    out.version = version = pending.version;
    if (pending.phase == Phase::Staged && pending.locked) {
        out.outcome = ShutdownOutcome::Locked;
    } else if (pending.phase == Phase::Staged) {
        note_beginning(machine, pending);
        QuietProgress progress;
        out.etc_conflicts = run_finalize(machine, progress, {}).etc_conflicts;
        out.outcome = ShutdownOutcome::Armed;
    } else if (const auto& booted = require_booted(all); pending.image != booted.image) {
        note_beginning(machine, pending);
        machine.attempt.kind = "finalize";
        machine.attempt.from = version_of(booted);
        machine.attempt.to = version_of(pending);
        out.etc_conflicts = merge_again(machine, pending, booted, {}).conflicts;
        machine.attempt.kind.clear();  // it was armed before, and told then
        out.outcome = ShutdownOutcome::Merged;
    }
    return out;
}

}  // namespace

ShutdownResult finalize_at_shutdown(const settings::Settings& given,
                                    const Clock& clock,
                                    std::chrono::milliseconds patience) {
    settings::Settings settings = given;
    settings.store.lock_timeout = std::max(settings.store.lock_timeout, patience);
    std::string version;
    try {
        Machine machine(settings, clock);
        if (!may_wait(machine.state.deployments())) return {};
        const UniqueFd lock = wait_for_lock(machine.state, patience);
        run_reconcile(machine);
        return recorded(machine, {"shutdown", 0}, [&] { return make_ready(machine, version); });
    } catch (const Error& e) {
        keep_finalize_failure(settings, e, version, clock);
        throw;
    }
}

void keep_finalize_failure(const settings::Settings& settings,
                           const Error& why,
                           const std::string& version,
                           const Clock& clock) {
    const std::string what =
        version.empty() ? "" : "version " + printable(version) + " was not made ready: ";
    const LastError failure{std::string(to_string(why.code())),
                            what + why.what(),
                            why.hint(),
                            why.details(),
                            unix_seconds(clock)};
    log::event(kEventFinalizeFailed,
               log::Level::Error,
               "finalize: " + failure.message,
               fields_of(why, version));
    const UniqueFd root = open_root(settings.sysroot);
    const StateDir state(root.get(), true);
    state.set_finalize_failure(failure);
    state.set_last_error(failure);
    sync_file_system(root.get(), settings.sysroot);
}

std::optional<LastError> last_finalize_failure(const settings::Settings& settings) {
    const UniqueFd root = open_root(settings.sysroot);
    if (!stat_at(root.get(), kPrivatePath)) return std::nullopt;
    return StateDir(root.get(), false).finalize_failure();
}

std::string describe_finalize_failure(const LastError& failure) {
    const std::string hint = failure.hint.empty() ? "" : "; " + failure.hint;
    return "at the last shutdown: " + failure.message + hint;
}

}  // namespace cfs::update
