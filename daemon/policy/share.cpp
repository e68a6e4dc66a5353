// SPDX-License-Identifier: Apache-2.0
#include "policy/share.hpp"

#include "crypto/digest.hpp"
#include "crypto/hasher.hpp"

#include <algorithm>
#include <cstdint>

namespace cfs::policy {

double share_of(std::string_view machine, std::string_view purpose) {
    Hasher hasher(HashAlgorithm::Sha256);
    hasher.update(as_bytes(std::to_string(machine.size()) + ":"));
    hasher.update(as_bytes(machine));
    hasher.update(as_bytes(purpose));
    const Digest digest = hasher.finish();
    // A double holds 53 bits exactly, so that the result stays below 1.
    std::uint64_t number = 0;
    for (const std::uint8_t byte : digest.bytes().first(8))
        number = number << 8 | byte;
    return static_cast<double>(number >> 11) / static_cast<double>(std::uint64_t{1} << 53);
}

std::chrono::milliseconds back_off(std::chrono::milliseconds first,
                                   std::chrono::milliseconds most,
                                   unsigned failures,
                                   std::string_view machine) {
    if (failures == 0) return std::chrono::milliseconds(0);
    auto wait = std::min(first, most);
    for (unsigned count = 1; count < failures && wait.count() > 0 && wait < most; ++count)
        wait = std::min(wait * 2, most);
    const double share = share_of(machine, "failure " + std::to_string(failures));
    const auto half = static_cast<double>(wait.count()) / 2;
    return std::chrono::milliseconds(static_cast<std::int64_t>(half + half * share));
}

}  // namespace cfs::policy
