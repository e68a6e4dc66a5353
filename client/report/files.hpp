// SPDX-License-Identifier: Apache-2.0
/// \file The parts of a report that are read from files.
#pragma once

#include "client/report/redact.hpp"
#include "settings/settings.hpp"

#include <string>

namespace cfs::client {

/// At most 1 MiB of it, also of files that say that they have no size. \throws Error
[[nodiscard]] std::string read_report_file(const std::string& path);

/// The daemon's own records without secrets, each below its name. Nothing that was downloaded.
/// \param problem what could not be read, as it is
[[nodiscard]] std::string record_texts(const settings::Settings& settings,
                                       const Redactor& redactor,
                                       std::string& problem);

/// Paths and sizes on the EFI system partition, never content. \param problem where there is none
[[nodiscard]] std::string esp_listing(const settings::Settings& settings, std::string& problem);

/// Size and room of the file systems that matter.
[[nodiscard]] std::string disk_space(const settings::Settings& settings);

}  // namespace cfs::client
