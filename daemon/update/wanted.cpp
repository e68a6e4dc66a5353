// SPDX-License-Identifier: Apache-2.0
#include "update/wanted.hpp"

#include "base/error.hpp"
#include "update/eviction.hpp"

namespace cfs::update {
namespace {

/// Bytes on the ESP that go when the new one comes.
std::uint64_t replaced_bytes(const Overview& all) {
    const bool is_staged = all.pending != nullptr && all.pending->phase != Phase::Armed;
    return is_staged ? all.pending->uki_size : 0;
}

}  // namespace

std::string origin_of(const Overview& all, const settings::Settings& settings) {
    const bool is_switch = all.pending != nullptr && all.pending->switched;
    const DeploymentRecord* from = is_switch ? all.pending : all.booted;
    return from != nullptr && !from->origin.empty() ? from->origin : settings.image;
}

std::string reference_for(const Overview& all,
                          const settings::Settings& settings,
                          const std::string& wanted) {
    const std::string reference = wanted.empty() ? origin_of(all, settings) : wanted;
    if (!reference.empty()) return reference;
    throw Error(ErrorCode::InvalidArgs,
                "no image is configured",
                "set 'image' in cfsupdated.toml, or name one with --image");
}

const DeploymentRecord* find_same(const Overview& all, const DeploymentRecord& wanted) {
    for (const DeploymentRecord* known : {all.pending, all.booted}) {
        if (known != nullptr && (known->manifest == wanted.manifest || known->same_update(wanted)))
            return known;
    }
    return nullptr;
}

const JudgedUki& gate(Machine& machine,
                      const Overview& all,
                      Pull& pull,
                      const DeploymentRecord& base,
                      Allowed allowed) {
    const std::uint64_t replaced = replaced_bytes(all);
    (void)choose_evicted(machine, all, pull.uki_layer_bytes(), replaced, std::nullopt);
    const auto may_go = evictable(all, machine.settings.update.keep);
    const JudgedUki& judged = pull.gate(&base, replaced + esp_bytes(all, may_go), allowed);
    (void)choose_evicted(machine, all, judged.uki.size, replaced, judged.argument.digest);
    return judged;
}

}  // namespace cfs::update
