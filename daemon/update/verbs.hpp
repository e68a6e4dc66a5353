// SPDX-License-Identifier: Apache-2.0
/// \file The engine's verbs, each on an opened machine. The caller holds the deployments' lock.
#pragma once

#include "update/engine.hpp"
#include "update/foreign.hpp"
#include "update/machine.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace cfs::update {

[[nodiscard]] CheckResult run_check(Machine& machine,
                                    const std::string& image,
                                    ProgressSink& progress,
                                    const std::stop_token& stop);

[[nodiscard]] UpdateResult run_update(Machine& machine,
                                      const UpdateOptions& options,
                                      ProgressSink& progress,
                                      const std::stop_token& stop);

[[nodiscard]] UpdateResult run_finalize(Machine& machine,
                                        ProgressSink& progress,
                                        const std::stop_token& stop);

[[nodiscard]] DeploymentInfo run_rollback(Machine& machine, ProgressSink& progress);

[[nodiscard]] CollectResult run_collect(Machine& machine,
                                        bool dry_run,
                                        ProgressSink& progress,
                                        const std::stop_token& stop);

[[nodiscard]] PinResult run_pin(Machine& machine, const PinOptions& options);

[[nodiscard]] CollectResult run_remove(Machine& machine,
                                       const std::string& deployment,
                                       ProgressSink& progress,
                                       const std::stop_token& stop);

[[nodiscard]] VerifyResult run_verify(Machine& machine,
                                      const VerifyOptions& options,
                                      ProgressSink& progress,
                                      const std::stop_token& stop);

[[nodiscard]] RepairResult run_repair(Machine& machine,
                                      const RepairOptions& options,
                                      ProgressSink& progress,
                                      const std::stop_token& stop);

[[nodiscard]] EtcPreview run_preview_etc(Machine& machine,
                                         const EtcPreviewOptions& options,
                                         ProgressSink& progress,
                                         const std::stop_token& stop);

[[nodiscard]] EtcRestored run_restore_etc(Machine& machine,
                                          const std::string& path,
                                          ProgressSink& progress,
                                          const std::stop_token& stop);

/// Finishes or undoes what a crash left; says in the log what it found.
void run_reconcile(Machine& machine);

/// The deployments, the ESP and what runs, put together; changes nothing.
struct Overview {
    std::vector<DeploymentRecord> records;       ///< newest first
    std::vector<boot::LoaderEntry> entries;      ///< on the ESP
    std::string next_entry;                      ///< the loader's choice; empty if unknown
    const DeploymentRecord* booted = nullptr;    ///< into `records`
    const DeploymentRecord* pending = nullptr;   ///< staged, or armed and not booted
    const DeploymentRecord* proven = nullptr;    ///< the newest one beside `booted` that is
    const DeploymentRecord* rollback = nullptr;  ///< where a rollback would go
    std::map<std::string, std::string> held;
    std::optional<Fallback>
        fallback;  ///< as it was noticed; find_fallback() says whether it counts
    std::map<std::string, std::string> damage;  ///< by stem: why the deployment cannot boot
    std::vector<ForeignDeployment> foreign;
    std::optional<Digest> running;  ///< the image, if it is known
    std::vector<std::string> problems;

    Overview() = default;
    Overview(const Overview&) = delete;
    Overview& operator=(const Overview&) = delete;
};

/// Fills `out`; what cannot be read becomes a line in out.problems.
void take_overview(Machine& machine, Overview& out);

/// Ran and its health checks passed, by our own record; or the loader does not count its tries: a
/// health check dropped its counter, or it never had one.
[[nodiscard]] bool is_proven(const Overview& all, const DeploymentRecord& record);

/// Proven, and it can be booted: nothing of it is damaged, held or used up, as far as a glance
/// shows.
[[nodiscard]] bool is_way_back(const Overview& all, const DeploymentRecord& record);

[[nodiscard]] DeploymentInfo describe(const Overview& all, const DeploymentRecord& record);

/// Never throws for a damaged machine.
[[nodiscard]] Status read_status(const settings::Settings& settings, const Clock& clock);

/// NotFound when nothing that we installed runs.
[[nodiscard]] const DeploymentRecord& require_booted(const Overview& all);

}  // namespace cfs::update
