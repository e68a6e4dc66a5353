// SPDX-License-Identifier: Apache-2.0
/// \file Bounds that parts which do not know each other must agree on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cfs {

/// The largest UKI that firmware is known to load (it wants one contiguous allocation).
inline constexpr std::uint64_t kMaxUkiBytes = (std::uint64_t{1} << 31) - 1;

/// The largest EROFS image: who makes one refuses more, because who collects and checks the store
/// reads no more.
inline constexpr std::size_t kMaxImageBytes = std::size_t{1} << 31;

}  // namespace cfs
