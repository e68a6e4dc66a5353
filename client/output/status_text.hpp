// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/model.hpp"

#include <cstddef>
#include <string>

namespace cfs::client {

/// `cfsctl status` for people: a summary, then the table of deployments, in `width` columns (a word
/// that is longer sticks out). Ends with a line break.
[[nodiscard]] std::string status_text(const Status& status, std::size_t width, bool color);

/// "5.0 MiB to fetch (18.0 MiB unpacked), 310.2 MiB here already".
[[nodiscard]] std::string sizes_text(const Available& available);

/// "2026.9 (0123456789ab, kept)": how a deployment is named in a sentence.
[[nodiscard]] std::string describe(const Deployment& deployment);

}  // namespace cfs::client
