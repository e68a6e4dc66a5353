// SPDX-License-Identifier: Apache-2.0
#include "boot/boot_backend.hpp"

#include <algorithm>
#include <limits>

namespace cfs::boot {
namespace {

constexpr std::uint64_t kMinReserve = std::uint64_t{1} << 20;

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    return a > kMax - b ? kMax : a + b;
}

std::uint64_t round_up(std::uint64_t size, std::uint64_t cluster) {
    const std::uint64_t rest = size % cluster;
    return rest == 0 ? size : add(size, cluster - rest);
}

}  // namespace

std::uint64_t space_needed(const std::vector<std::uint64_t>& file_sizes,
                           std::uint64_t cluster_bytes) {
    const std::uint64_t cluster = std::max<std::uint64_t>(cluster_bytes, 1);
    std::uint64_t files = 0;
    for (const std::uint64_t size : file_sizes)
        files = add(files, round_up(size, cluster));
    const std::uint64_t reserve = std::max(kMinReserve, files / 100);
    return add(add(files, add(cluster, cluster)), reserve);
}

}  // namespace cfs::boot
