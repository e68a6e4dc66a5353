// SPDX-License-Identifier: Apache-2.0
/// \file What repair makes anew from what is on the machine. Each function leaves what it made
/// linked and not durable before Repository::sync(); the caller holds the store's shared lock.
#pragma once

#include "update/documents.hpp"
#include "update/survey.hpp"

#include <stop_token>
#include <string>

namespace cfs::update {

/// From the deployment's entry on the ESP; false when that has other bytes or is not there,
/// NotFound when it cannot be read.
bool copy_uki_from_esp(Machine& machine,
                       const DeploymentRecord& record,
                       const std::stop_token& stop);

/// Has the entry on the ESP the recorded bytes, read from the medium? False also when it is gone.
[[nodiscard]] bool holds_its_uki(Machine& machine,
                                 const DeploymentRecord& record,
                                 const std::string& file);

/// The deployment's UKI from the store, put back onto the ESP under that name.
void restore_entry(Machine& machine, const DeploymentRecord& record, const boot::EntryName& name);

/// From the layers, by what the UKI says. DigestMismatch when they make another image.
/// \pre layers_are_sound(), and the UKI is
void rebuild_image(Machine& machine, const Contents& contents, const std::stop_token& stop);

/// The streams of manifest and config. \pre layers_are_sound(), the image and the UKI are, and the
/// documents are known
void rebuild_documents(Machine& machine, const Contents& contents, const std::stop_token& stop);

/// Where the deployment came from, by manifest digest where the place knows such.
[[nodiscard]] std::string pinned_reference(const DeploymentRecord& record);

}  // namespace cfs::update
