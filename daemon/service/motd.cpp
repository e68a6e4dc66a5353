// SPDX-License-Identifier: Apache-2.0
#include "service/motd.hpp"

#include "base/bytes.hpp"
#include "update/shutdown.hpp"

namespace cfs::service {
namespace {

using update::DeploymentInfo;
using update::DeploymentState;

constexpr std::size_t kLongestReason = 400;

/// No line of it is anybody else's.
std::string line(const std::string& text) {
    return "cfsupdated: " + text + "\n";
}

std::string name_of(const DeploymentInfo& deployment) {
    return "version " + (deployment.version.empty() ? "?" : printable(deployment.version));
}

const DeploymentInfo* next_of(const update::Status& status) {
    if (status.staged && !status.staged->locked) return &*status.staged;
    for (const DeploymentInfo& each : status.deployments) {
        if (each.next) return &each;
    }
    return nullptr;
}

std::string pending_lines(const update::Status& status) {
    std::string out;
    if (status.reboot_pending) {
        const DeploymentInfo* const next = next_of(status);
        out += line((next != nullptr ? name_of(*next) : std::string("another system")) +
                    " runs after the next restart");
    }
    if (status.staged && status.staged->locked)
        out += line(name_of(*status.staged) + " is staged; 'cfsctl finalize' makes it next");
    return out;
}

/// Newer than what runs, and not installed by itself: what is older says nothing to anybody.
std::string held_lines(const update::Status& status) {
    std::string out;
    for (const DeploymentInfo& each : status.deployments) {
        if (each.state == DeploymentState::Booted) return out;
        const bool failed = each.state == DeploymentState::Failed;
        if (!failed && each.state != DeploymentState::RolledBack) continue;
        if (status.fallback && status.fallback->digest == each.digest) continue;
        out += line(name_of(each) + " is held (" + (failed ? "failed" : "rolled back") +
                    "): it is not installed by itself");
    }
    return out;
}

}  // namespace

std::string motd_text(const update::Status& status) {
    std::string out = pending_lines(status);
    if (status.fallback) {
        out += line(
            "version " + printable(status.fallback->version) +
            " did not come up and is held: " + printable(status.fallback->reason, kLongestReason));
    }
    out += held_lines(status);
    if (status.finalize_failure) {
        out += line(printable(update::describe_finalize_failure(*status.finalize_failure),
                              2 * kLongestReason));
    }
    return out.empty() ? out : out + line("'cfsctl status' says more");
}

}  // namespace cfs::service
