// SPDX-License-Identifier: Apache-2.0
#include "image/xxh32.hpp"

#include <array>
#include <bit>

namespace cfs::image {
namespace {

constexpr std::uint32_t kPrime1 = 0x9E3779B1;
constexpr std::uint32_t kPrime2 = 0x85EBCA77;
constexpr std::uint32_t kPrime3 = 0xC2B2AE3D;
constexpr std::uint32_t kPrime4 = 0x27D4EB2F;
constexpr std::uint32_t kPrime5 = 0x165667B1;

std::uint32_t round(std::uint32_t lane, std::uint32_t word) {
    return std::rotl(lane + word * kPrime2, 13) * kPrime1;
}

/// Consumes whole 16-byte stripes.
std::uint32_t stripes(ByteView& data, std::uint32_t seed) {
    std::array<std::uint32_t, 4> lanes = {
        seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
    while (data.size() >= 16) {
        for (std::size_t i = 0; i < 4; ++i) {
            lanes[i] = round(lanes[i], load_le<std::uint32_t>(data, 4 * i));
        }
        data = data.subspan(16);
    }
    return std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
           std::rotl(lanes[3], 18);
}

}  // namespace

std::uint32_t xxh32(ByteView data, std::uint32_t seed) {
    const auto length = static_cast<std::uint32_t>(data.size());
    std::uint32_t value = (data.size() >= 16 ? stripes(data, seed) : seed + kPrime5) + length;
    while (data.size() >= 4) {
        value = std::rotl(value + load_le<std::uint32_t>(data, 0) * kPrime3, 17) * kPrime4;
        data = data.subspan(4);
    }
    for (const std::uint8_t byte : data) {
        value = std::rotl(value + byte * kPrime5, 11) * kPrime1;
    }
    value = (value ^ value >> 15) * kPrime2;
    value = (value ^ value >> 13) * kPrime3;
    return value ^ value >> 16;
}

}  // namespace cfs::image
