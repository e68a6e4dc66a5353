// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash_lanes.hpp"

namespace cfs {

/// For machines that libipsec-mb is not made for.
std::size_t hash_in_lanes(HashAlgorithm, ByteView, std::size_t, std::span<std::uint8_t>) {
    return 0;
}

}  // namespace cfs
