// SPDX-License-Identifier: Apache-2.0
#include "client/bus/decode.hpp"
#include "client/bus/job.hpp"
#include "client/bus/password_agent.hpp"
#include "client/commands/commands.hpp"
#include "client/output/history_text.hpp"
#include "client/output/json.hpp"
#include "client/output/result_text.hpp"
#include "client/output/status_text.hpp"
#include "client/output/terminal.hpp"

#include <unistd.h>

#include <iostream>

namespace cfs::client {
namespace {

bus::VariantMap run_verb(const Global& global, const char* method, const bus::VariantMap& options) {
    const PasswordAgent agent(global.bus, global.ask_password);
    BusSession session(global.bus, global.ask_password);
    ProgressView view(STDERR_FILENO, is_terminal(STDERR_FILENO));
    return run_job(session, method, options, view);
}

void add_text(bus::VariantMap& options, const char* key, const std::string& value) {
    if (!value.empty()) options[key] = sdbus::Variant{value};
}

ExitCode finished(const UpdateOutcome& outcome, const Global& global) {
    std::cout << (global.json ? to_json(outcome) + "\n" : update_text(outcome));
    return outcome.outcome == "nothing-to-do" ? ExitCode::NothingToDo : ExitCode::Done;
}

ExitCode bring(const char* method, const Update& options, const Global& global) {
    bus::VariantMap map;
    add_text(map, "image", options.image);
    add_text(map, "expected-digest", options.expected_digest);
    // Without the flag the daemon's own setting decides.
    if (!options.finalize) map["finalize"] = sdbus::Variant{false};
    if (options.lock) map["lock"] = sdbus::Variant{true};
    if (options.ignore_inhibitors) map["ignore-inhibitors"] = sdbus::Variant{true};
    if (options.downgrade) map["downgrade"] = sdbus::Variant{true};
    return finished(decode_update(run_verb(global, method, map)), global);
}

ExitCode pin(const std::string& deployment, bool pinned, const Global& global) {
    bus::VariantMap map;
    add_text(map, "deployment", deployment);
    if (!pinned) map["pinned"] = sdbus::Variant{false};
    const PinOutcome outcome = decode_pin(run_verb(global, "Pin", map));
    std::cout << (global.json ? to_json(outcome) + "\n" : pin_text(outcome));
    return outcome.changed ? ExitCode::Done : ExitCode::NothingToDo;
}

}  // namespace

ExitCode run(const ShowStatus&, const Global& global) {
    BusSession session(global.bus);
    const Status status = ManagerProxy(session).status();
    if (global.json) {
        std::cout << to_json(status) << '\n';
    } else {
        std::cout << status_text(
            status, terminal_width(STDOUT_FILENO), use_color(STDOUT_FILENO, global.color));
    }
    return ExitCode::Done;
}

ExitCode run(const Check& options, const Global& global) {
    bus::VariantMap map;
    add_text(map, "image", options.image);
    const CheckOutcome outcome = decode_check(run_verb(global, "Check", map));
    std::cout << (global.json ? to_json(outcome) + "\n" : check_text(outcome));
    return outcome.update_available ? ExitCode::Done : ExitCode::NothingToDo;
}

/// The check is a job of its own. At its end the daemon has begun what follows, or says what it
/// waits for, before anybody hears that the check is over.
static ExitCode run_automatic(const Global& global) {
    const PasswordAgent agent(global.bus, global.ask_password);
    BusSession session(global.bus, global.ask_password);
    ProgressView view(STDERR_FILENO, is_terminal(STDERR_FILENO));
    const CheckOutcome check =
        decode_check(run_job(session, "Update", {{"automatic", sdbus::Variant{true}}}, view));
    if (auto result = follow_job(session, "update", view)) {
        return finished(decode_update(*result), global);
    }
    throw_if_waiting(ManagerProxy(session).blockers());
    std::cout << (global.json ? to_json(check) + "\n" : check_text(check));
    return check.update_available ? ExitCode::Done : ExitCode::NothingToDo;
}

ExitCode run(const Update& options, const Global& global) {
    if (options.automatic) return run_automatic(global);
    return bring("Update", options, global);
}

ExitCode run(const Stage& options, const Global& global) {
    return bring("Stage", options.update, global);
}

ExitCode run(const Switch& options, const Global& global) {
    return bring("Switch", options.update, global);
}

ExitCode run(const Finalize&, const Global& global) {
    return finished(decode_update(run_verb(global, "Finalize", {})), global);
}

ExitCode run(const Rollback&, const Global& global) {
    const Deployment next = decode_deployment(run_verb(global, "Rollback", {}));
    std::cout << (global.json ? to_json(next) + "\n" : rollback_text(next));
    return ExitCode::Done;
}

ExitCode run(const Gc& options, const Global& global) {
    bus::VariantMap map;
    if (options.dry_run) map["dry-run"] = sdbus::Variant{true};
    const CollectOutcome outcome = decode_collect(run_verb(global, "Collect", map));
    std::cout << (global.json ? to_json(outcome) + "\n" : collect_text(outcome));
    return ExitCode::Done;
}

ExitCode run(const Pin& options, const Global& global) {
    return pin(options.deployment, true, global);
}

ExitCode run(const Unpin& options, const Global& global) {
    return pin(options.deployment, false, global);
}

ExitCode run(const Remove& options, const Global& global) {
    bus::VariantMap map;
    add_text(map, "deployment", options.deployment);
    const CollectOutcome outcome = decode_collect(run_verb(global, "Remove", map));
    std::cout << (global.json ? to_json(outcome) + "\n" : collect_text(outcome));
    return ExitCode::Done;
}

ExitCode run(const Verify& options, const Global& global) {
    bus::VariantMap map;
    add_text(map, "deployment", options.deployment);
    if (options.full) map["full"] = sdbus::Variant{true};
    if (options.rate) map["rate"] = sdbus::Variant{*options.rate};
    const VerifyOutcome outcome = decode_verify(run_verb(global, "Verify", map));
    std::cout << (global.json ? to_json(outcome) + "\n" : verify_text(outcome));
    return outcome.sound ? ExitCode::Done : ExitCode::Error;
}

ExitCode run(const Repair& options, const Global& global) {
    bus::VariantMap map;
    add_text(map, "deployment", options.deployment);
    if (options.rate) map["rate"] = sdbus::Variant{*options.rate};
    const RepairOutcome outcome = decode_repair(run_verb(global, "Repair", map));
    std::cout << (global.json ? to_json(outcome) + "\n" : repair_text(outcome));
    return outcome.found.sound ? ExitCode::NothingToDo : ExitCode::Done;
}

ExitCode run(const History& options, const Global& global) {
    bus::VariantMap map;
    if (options.limit) map["limit"] = sdbus::Variant{*options.limit};
    BusSession session(global.bus);
    const std::vector<HistoryEntry> entries = ManagerProxy(session).history(map);
    if (global.json) {
        std::cout << to_json(entries) << '\n';
    } else {
        std::cout << history_text(
            entries, terminal_width(STDOUT_FILENO), use_color(STDOUT_FILENO, global.color));
    }
    return ExitCode::Done;
}

ExitCode run(const Pending&, const Global& global) {
    BusSession session(global.bus);
    const PendingOutcome outcome = find_pending(ManagerProxy(session).status());
    std::cout << (global.json ? to_json(outcome) + "\n" : pending_text(outcome));
    return outcome.pending ? ExitCode::Done : ExitCode::NothingToDo;
}

ExitCode run(const SoftReboot&, const Global& global) {
    const PasswordAgent agent(global.bus, global.ask_password);
    BusSession session(global.bus, global.ask_password);
    ManagerProxy(session).soft_reboot();
    std::cout << (global.json ? text_json({{"state", "restarting"}}) : "restarting all that runs")
              << '\n';
    return ExitCode::Done;
}

ExitCode run(const Cancel&, const Global& global) {
    const PasswordAgent agent(global.bus, global.ask_password);
    BusSession session(global.bus, global.ask_password);
    ManagerProxy(session).cancel();
    std::cout << (global.json ? text_json({{"state", "cancelling"}}) : "cancelling the running job")
              << '\n';
    return ExitCode::Done;
}

ExitCode run(const Pause&, const Global& global) {
    const PasswordAgent agent(global.bus, global.ask_password);
    BusSession session(global.bus, global.ask_password);
    const bool news = pause_job(session);
    std::cout << (global.json ? text_json({{"state", "paused"}})
                              : "the update is paused; 'cfsctl resume' goes on with it")
              << '\n';
    return news ? ExitCode::Done : ExitCode::NothingToDo;
}

ExitCode run(const Resume&, const Global& global) {
    const PasswordAgent agent(global.bus, global.ask_password);
    BusSession session(global.bus, global.ask_password);
    ProgressView view(STDERR_FILENO, is_terminal(STDERR_FILENO));
    return finished(decode_update(resume_job(session, view)), global);
}

}  // namespace cfs::client
