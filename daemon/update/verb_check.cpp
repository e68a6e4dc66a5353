// SPDX-License-Identifier: Apache-2.0
#include "update/source.hpp"
#include "update/verbs.hpp"
#include "update/wanted.hpp"

namespace cfs::update {

CheckResult run_check(Machine& machine,
                      const std::string& image,
                      ProgressSink& progress,
                      const std::stop_token& stop) {
    Overview all;
    take_overview(machine, all);
    const DeploymentRecord& booted = require_booted(all);
    // What comes next is of the product that was switched to.
    const bool is_switching = all.pending != nullptr && all.pending->switched && image.empty();
    const DeploymentRecord& base = is_switching ? *all.pending : booted;
    progress.stage("check");
    const auto lock = machine.store().lock_shared(machine.settings.store.lock_timeout, stop);
    OpenedSource source(reference_for(all, machine.settings, image),
                        machine.settings,
                        scratch_dir(machine.settings),
                        stop,
                        keep_options(machine.settings));
    Pull pull(machine, *source, progress, stop);
    DeploymentRecord wanted;
    wanted.manifest = pull.resolve().manifest_digest;
    CheckResult result;
    result.available.image = pull.resolved().reference;
    result.available.manifest_digest = to_oci(wanted.manifest);
    result.available.checked = unix_seconds(machine.clock);
    if (const auto* same = find_same(all, wanted)) {
        result.available.version = same->version;
        result.available.digest = same->image.hex();
        machine.state.set_available(std::nullopt);
        return result;
    }
    const JudgedUki& judged = gate(machine, all, pull, base);
    wanted.image = judged.argument.digest;
    wanted.authenticode = judged.uki.authenticode;
    result.available.version = judged.uki.osrel.version();
    result.available.digest = wanted.image.hex();
    result.available.download_bytes = pull.missing_bytes();
    result.available.reused_bytes = pull.reused_bytes();
    result.available.unpacked_bytes = pull.unpacked_bytes();
    result.update_available =
        find_same(all, wanted) == nullptr && find_hold(all.held, wanted) == nullptr;
    machine.state.set_available(result.update_available ? std::optional(result.available)
                                                        : std::nullopt);
    return result;
}

}  // namespace cfs::update
