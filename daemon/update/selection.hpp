// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "update/verbs.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cfs::update {

/// The deployments that a person means by `text`: "booted", "staged" or "rollback"; an image digest
/// (hex) or the first eight digits or more of one; a manifest digest ("sha256:..."); a version; the
/// stem or file name of a UKI. Empty: all. Only those that are complete. Several may share a
/// version, or an image. NotFound names what there is.
[[nodiscard]] std::vector<const DeploymentRecord*> select_deployments(const Overview& all,
                                                                      std::string_view text);

/// "2 (os_2-000002-0123abcd)"
[[nodiscard]] std::string display_name(const DeploymentRecord& record);

}  // namespace cfs::update
