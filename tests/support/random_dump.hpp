// SPDX-License-Identifier: Apache-2.0
/// \file Dumps made from a number: the same one for the same seed, everywhere.
#pragma once

#include <cstdint>
#include <string>

namespace cfs::test {

/// A dump that mkcomposefs accepts: all kinds of files, owners, times, attributes, whiteouts and
/// hard links, with the sizes at which the format changes its mind. `lenient` adds spellings that
/// only its lenient reading takes.
[[nodiscard]] std::string random_dump(std::uint64_t seed, bool lenient);

}  // namespace cfs::test
