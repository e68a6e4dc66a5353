// SPDX-License-Identifier: Apache-2.0
#include "update/source.hpp"
#include "update/verbs.hpp"
#include "update/wanted.hpp"

#include <map>
#include <string>

namespace cfs::update {
namespace {

/// They came from a registry: few, short, and nobody else's.
std::map<std::string, std::string> own_annotations(const net::Annotations& all) {
    constexpr std::size_t kMost = 16;
    constexpr std::size_t kLongest = 200;
    std::map<std::string, std::string> own;
    for (const auto& [name, value] : all) {
        const bool fits = name.starts_with("org.cfsupdate1.") && name.size() <= kLongest &&
                          value.size() <= kLongest;
        if (fits && own.size() < kMost) own[name] = value;
    }
    return own;
}

}  // namespace

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
    result.available.annotations = own_annotations(pull.resolved().manifest.annotations);
    result.update_available =
        find_same(all, wanted) == nullptr && find_hold(all.held, wanted) == nullptr;
    machine.state.set_available(result.update_available ? std::optional(result.available)
                                                        : std::nullopt);
    return result;
}

}  // namespace cfs::update
