// SPDX-License-Identifier: Apache-2.0
/// \file `cfsctl image ... --json`: see json.hpp. Paths, targets and values are escaped as in
/// dumps, because names are bytes and JSON is text.
#pragma once

#include "client/output/image_text.hpp"

#include <map>
#include <string>
#include <vector>

namespace cfs::client {

[[nodiscard]] std::string to_json(const ImageSummary& summary);
[[nodiscard]] std::string to_json(const std::vector<ListEntry>& entries);
[[nodiscard]] std::string to_json(const std::vector<PathChange>& changes);
[[nodiscard]] std::string objects_json(const std::map<std::string, ObjectInfo>& objects);

}  // namespace cfs::client
