// SPDX-License-Identifier: Apache-2.0
/// \file What a report is made of. Each part is what this caller may see; one that cannot be had
/// says why, and the others are there all the same.
#pragma once

#include "client/report/redact.hpp"
#include "settings/settings.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cfs::client {

struct ReportPart {
    std::string name;     ///< of its file in the archive
    std::string text;     ///< without secrets
    std::string problem;  ///< empty, or why it is not all of it
};

struct ReportSources {
    std::string bus;
    std::string config;  ///< the daemon's settings
    std::string client_version;
};

/// In the order in which they are written. Never throws for what a part is made of.
[[nodiscard]] std::vector<ReportPart> gather_report(const ReportSources& sources);

/// report.json: what is there and what is not.
[[nodiscard]] std::string report_index(const std::vector<ReportPart>& parts, std::int64_t created);

}  // namespace cfs::client
