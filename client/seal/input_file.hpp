// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <string>

namespace cfs::client {

/// A file that the caller named: links are followed, any path will do. NotFound when missing,
/// BadFormat above `limit` bytes.
[[nodiscard]] Bytes read_input(const std::string& path, std::size_t limit);

}  // namespace cfs::client
