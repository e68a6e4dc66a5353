// SPDX-License-Identifier: Apache-2.0
/// \file What is wanted, and whether it is here already: the steps that a check and an update
/// share.
#pragma once

#include "update/gate.hpp"
#include "update/machine.hpp"
#include "update/pull.hpp"
#include "update/verbs.hpp"

#include <string>

namespace cfs::update {

/// Where updates come from: what somebody switched to, else the configured reference; may be empty.
/// A switch that waits for its first boot counts already.
[[nodiscard]] std::string origin_of(const Overview& all, const settings::Settings& settings);

/// `wanted`, or else origin_of(). InvalidArgs when that is empty.
[[nodiscard]] std::string reference_for(const Overview& all,
                                        const settings::Settings& settings,
                                        const std::string& wanted);

/// The deployment that already has this manifest, or this image with the same UKI; nullptr if none
/// that counts.
[[nodiscard]] const DeploymentRecord* find_same(const Overview& all,
                                                const DeploymentRecord& wanted);

/// The image's UKI is judged by itself, once it is sure that there will be room for it: by its size
/// in the manifest before a byte of it is fetched, by its own size then. \param base what it is an
/// update of
[[nodiscard]] const JudgedUki& gate(Machine& machine,
                                    const Overview& all,
                                    Pull& pull,
                                    const DeploymentRecord& base,
                                    Allowed allowed = {});

}  // namespace cfs::update
