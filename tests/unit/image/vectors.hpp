// SPDX-License-Identifier: Apache-2.0
/// \file Reading the golden data of tests/data.
#pragma once

#include "base/bytes.hpp"
#include "crypto/digest.hpp"
#include "image/erofs_writer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cfs::image::test {

/// A file below tests/data; ".gz" files are unpacked.
[[nodiscard]] Bytes read_data(const std::string& name);

/// Tab separated lines below tests/data; empty lines are left out.
[[nodiscard]] std::vector<std::vector<std::string>> read_table(const std::string& name);

[[nodiscard]] HashAlgorithm algorithm_named(std::string_view name);
[[nodiscard]] ErofsVersion version_named(std::string_view name);

/// Letters and digits of `text`, the rest as '_': good for a test's name.
[[nodiscard]] std::string test_name(std::string_view text);

}  // namespace cfs::image::test
