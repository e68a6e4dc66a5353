// SPDX-License-Identifier: Apache-2.0
#include "net/base64.hpp"

#include <cstdint>

namespace cfs::net {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_base64(std::string_view bytes) {
    std::string out;
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const char c : bytes) {
        pending = (pending << 8) | static_cast<std::uint8_t>(c);
        for (bits += 8; bits >= 6; bits -= 6)
            out += kAlphabet[(pending >> (bits - 6)) & 63U];
    }
    if (bits > 0) out += kAlphabet[(pending << (6 - bits)) & 63U];
    while (out.size() % 4 != 0)
        out += '=';
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string out;
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const char c : text.substr(0, text.find('='))) {
        const auto value = kAlphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        pending = (pending << 6) | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out += static_cast<char>((pending >> bits) & 255U);
    }
    // Padding and left-over bits are whatever the encoder would have written.
    if (to_base64(out) != text) return std::nullopt;
    return out;
}

}  // namespace cfs::net
