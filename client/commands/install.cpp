// SPDX-License-Identifier: Apache-2.0
#include "base/heap.hpp"
#include "client/commands/commands.hpp"
#include "client/commands/offline.hpp"
#include "client/output/json.hpp"
#include "client/output/result_text.hpp"
#include "client/output/terminal.hpp"
#include "settings/load.hpp"

#include <unistd.h>

#include <iostream>

namespace cfs::client {
namespace {

settings::Settings install_settings(const Install& options) {
    settings::Settings out;
    if (!options.config.empty()) {
        const settings::Loaded loaded = settings::load(options.config);
        for (const std::string& warning : loaded.warnings) {
            std::cerr << "cfsctl: warning: " << warning << '\n';
        }
        out = loaded.settings;
    }
    out.sysroot = options.sysroot;
    out.esp = options.esp;
    if (!options.trust.empty()) out.trust.certificates = options.trust;
    if (options.verity) out.store.verity = *options.verity;
    if (options.hash) out.store.hash = *options.hash;
    if (!options.reach.ca_file.empty()) out.net.ca_file = options.reach.ca_file;
    for (const std::string& registry : options.reach.insecure_registries) {
        out.net.insecure_registries.push_back(registry);
    }
    return out;
}

std::string word(update::UpdateOutcome outcome) {
    switch (outcome) {
        case update::UpdateOutcome::NothingToDo:
            return "nothing-to-do";
        case update::UpdateOutcome::Staged:
            return "staged";
        case update::UpdateOutcome::Finalized:
            return "finalized";
    }
    return {};
}

UpdateOutcome outcome_of(const update::UpdateResult& result) {
    UpdateOutcome out;
    out.outcome = word(result.outcome);
    const update::DeploymentInfo& from = result.deployment;
    out.deployment.digest = from.digest;
    out.deployment.version = from.version;
    out.deployment.title = from.title;
    out.deployment.uki = from.uki;
    out.deployment.state = update::to_string(from.state);
    out.deployment.image = from.image;
    out.deployment.manifest_digest = from.manifest_digest;
    out.deployment.installed = from.installed;
    out.deployment.next = from.next;
    out.deployment.problem = from.problem;
    out.fetched_bytes = result.fetched_bytes;
    out.reused_bytes = result.reused_bytes;
    out.etc_changes = result.etc_changes;
    out.etc_conflicts = result.etc_conflicts;
    return out;
}

}  // namespace

ExitCode run(const Install& options, const Global& global) {
    limit_heaps();
    const settings::Settings settings = install_settings(options);
    OfflineJob job;
    const UpdateOutcome outcome =
        outcome_of(update::install(options.source, settings, job.progress(), job.stop()));
    job.finish();
    std::cout << (global.json ? to_json(outcome) + "\n" : installed_text(outcome));
    return ExitCode::Done;
}

}  // namespace cfs::client
