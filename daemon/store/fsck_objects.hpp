// SPDX-License-Identifier: Apache-2.0
/// \file Inside of fsck: every object against its name.
#pragma once

#include "store/fsck.hpp"
#include "store/parts.hpp"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace cfs::store {

struct ObjectsReport {
    std::vector<Finding> findings;  ///< in no order
    std::uint64_t checked = 0;
    std::uint64_t bytes = 0;
};

/// Measures (fs-verity) and, unless `metadata_only`, reads and hashes all objects, on as many
/// threads as there are processors. Remembers nothing and believes nothing remembered.
[[nodiscard]] ObjectsReport check_objects(const RepositoryParts& parts,
                                          bool metadata_only,
                                          const std::stop_token& stop);

}  // namespace cfs::store
