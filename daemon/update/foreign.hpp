// SPDX-License-Identifier: Apache-2.0
/// \file Deployments of other tools: what bootc and composefs-rs leave below state/deploy, and
/// their signs that an update is under way. They are shown, and nothing of them is changed.
#pragma once

#include "crypto/digest.hpp"
#include "update/record.hpp"
#include "update/status.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::update {

struct Machine;

/// By its /etc and /var: bootc has a whole /etc and one /var for all, composefs-setup-root an
/// overlay and a /var of its own.
enum class Dialect {
    Own,  ///< ours by its pin, but its record is lost
    Bootc,
    ComposefsRs,
    Unknown,
};

struct ForeignDeployment {
    Digest image;  ///< the directory's name
    Dialect dialect = Dialect::Unknown;
    std::string reference;  ///< as its .origin has it; empty if there is none
    std::string manifest_digest;

    /// Whose it is, and what that means for us.
    [[nodiscard]] std::string explain() const;
};

/// What lies below state/deploy and has no record. Unreadable parts are left empty; entries whose
/// name is no digest are skipped.
[[nodiscard]] std::vector<ForeignDeployment> find_foreign(
    int sysroot, const std::vector<DeploymentRecord>& records);

/// For status; `booted` is the running image, if it is known.
[[nodiscard]] DeploymentInfo describe(const ForeignDeployment& foreign,
                                      const std::optional<Digest>& booted);

/// \throws Error Busy while bootc has a deployment staged, by its marker in /run or by the loader
/// entries it wants to swap in: its finalize at shutdown and ours would both decide what starts
/// next
void require_no_foreign_stage(Machine& machine);

}  // namespace cfs::update
