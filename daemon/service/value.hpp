// SPDX-License-Identifier: Apache-2.0
/// \file What goes over the bus as a{sv}, before it is put into the bus library's types:
/// comparable, so that only what changed is signalled.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace cfs::service {

using StringList = std::vector<std::string>;
using StringMaps = std::vector<std::map<std::string, std::string>>;
/// b, x, t, s, as, aa{ss}
using Value = std::variant<bool, std::int64_t, std::uint64_t, std::string, StringList, StringMaps>;
using Dict = std::map<std::string, Value>;

}  // namespace cfs::service
