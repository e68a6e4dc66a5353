// SPDX-License-Identifier: Apache-2.0
#include "update/selection.hpp"
#include "update/survey.hpp"
#include "update/verbs.hpp"

namespace cfs::update {

std::string describe_damage(const Damage& damage) {
    std::string versions;
    for (const auto* record : damage.who)
        versions += (versions.empty() ? "" : ", ") + printable(record->version);
    std::string out = std::string(to_string(damage.kind)) + " " + printable(damage.name, 300) +
                      ": " + damage.problem + " (version " + versions;
    if (!damage.path.empty()) out += ", " + printable(damage.path, 300);
    return out + ")";
}

void add_damage(const std::vector<Damage>& damage, VerifyResult& result) {
    for (const Damage& one : damage) {
        ++(one.missing ? result.missing : result.damaged);
        result.items.push_back(describe_damage(one));
    }
}

void add_scope(const std::vector<const DeploymentRecord*>& records,
               const Survey& survey,
               const Inspector& inspector,
               VerifyResult& result) {
    for (const auto* record : records)
        result.deployments.push_back(display_name(*record));
    result.objects = inspector.objects();
    result.bytes = inspector.bytes();
    result.streams = survey.streams();
    result.unvouched = inspector.unvouched();
    if (result.unvouched == 0) return;
    result.warnings.push_back("without fs-verity only size and existence of " +
                              std::to_string(result.unvouched) +
                              " objects could be checked: 'cfsctl verify --full' reads them");
}

VerifyResult run_verify(Machine& machine,
                        const VerifyOptions& options,
                        ProgressSink& progress,
                        const std::stop_token& stop) {
    Overview all;
    take_overview(machine, all);
    const auto records = select_deployments(all, options.deployment);
    const auto lock = machine.store().lock_shared(machine.settings.store.lock_timeout, stop);
    progress.stage("verify");
    Inspector inspector(machine.store(),
                        options.full ? store::Look::Read : store::Look::Measure,
                        options.rate.value_or(machine.settings.store.verify_rate),
                        progress,
                        stop);
    const FetchedDocuments nothing;
    const Survey survey(machine, records, inspector, nothing, stop);
    VerifyResult result;
    result.full = options.full;
    result.warnings = all.problems;
    add_damage(survey.damage(), result);
    add_scope(records, survey, inspector, result);
    return result;
}

}  // namespace cfs::update
