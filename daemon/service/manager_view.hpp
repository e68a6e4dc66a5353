// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "service/value.hpp"
#include "update/status.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cfs::service {

/// What the Manager's object shows; a value.
struct ManagerView {
    std::string state = "starting";
    Dict booted;
    Dict staged;
    Dict rollback;
    std::vector<Dict> deployments;
    Dict fallback;
    std::vector<Dict> held;
    Dict available;
    Dict last_error;
    bool reboot_pending = false;
    std::string soft_reboot_problem;
    std::string image;
    std::string verity;
    StringList warnings;
    std::vector<std::pair<std::string, std::string>> blockers;  ///< kind, text
    Dict policy;
    StringList jobs;  ///< object paths
};

[[nodiscard]] ManagerView make_view(const update::Status& status,
                                    std::string state,
                                    StringList jobs);

/// Names of the bus properties that differ.
[[nodiscard]] std::vector<std::string> changed_names(const ManagerView& before,
                                                     const ManagerView& after);

}  // namespace cfs::service
