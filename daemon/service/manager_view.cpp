// SPDX-License-Identifier: Apache-2.0
#include "service/manager_view.hpp"

#include "service/bus.hpp"
#include "service/status_dict.hpp"

#include <utility>

namespace cfs::service {

ManagerView make_view(const update::Status& status, std::string state, StringList jobs) {
    ManagerView view;
    view.state = std::move(state);
    view.booted = to_dict(status.booted);
    view.staged = to_dict(status.staged);
    view.rollback = to_dict(status.rollback);
    for (const update::DeploymentInfo& deployment : status.deployments) {
        view.deployments.push_back(to_dict(deployment));
    }
    view.fallback = to_dict(status.fallback);
    for (const update::HeldVersion& held : status.held)
        view.held.push_back(to_dict(held));
    view.available = to_dict(status.available);
    view.last_error = to_dict(status.last_error);
    view.reboot_pending = status.reboot_pending;
    view.soft_reboot_problem = status.soft_reboot_problem;
    view.image = bus_text(status.image);
    view.verity = status.verity;
    view.warnings = status.warnings;
    view.jobs = std::move(jobs);
    return view;
}

std::vector<std::string> changed_names(const ManagerView& before, const ManagerView& after) {
    std::vector<std::string> names;
    const auto compare = [&names](const char* name, const auto& one, const auto& other) {
        if (!(one == other)) names.emplace_back(name);
    };
    compare("State", before.state, after.state);
    compare("Booted", before.booted, after.booted);
    compare("Staged", before.staged, after.staged);
    compare("Rollback", before.rollback, after.rollback);
    compare("Deployments", before.deployments, after.deployments);
    compare("Fallback", before.fallback, after.fallback);
    compare("Held", before.held, after.held);
    compare("Available", before.available, after.available);
    compare("LastError", before.last_error, after.last_error);
    compare("RebootPending", before.reboot_pending, after.reboot_pending);
    compare("SoftRebootProblem", before.soft_reboot_problem, after.soft_reboot_problem);
    compare("Image", before.image, after.image);
    compare("Verity", before.verity, after.verity);
    compare("Warnings", before.warnings, after.warnings);
    compare("Blockers", before.blockers, after.blockers);
    compare("Policy", before.policy, after.policy);
    compare("Jobs", before.jobs, after.jobs);
    return names;
}

}  // namespace cfs::service
