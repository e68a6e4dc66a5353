// SPDX-License-Identifier: Apache-2.0
#include "bus/text.hpp"

#include <algorithm>
#include <cstdint>

namespace cfs::bus {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kCut = " [cut]";

bool in_range(char c, unsigned low, unsigned high) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= low && byte <= high;
}

/// What the second byte may be depends on the first: no overlong forms, no surrogates, no more than
/// U+10FFFF.
bool second_fits(unsigned first, char second) {
    switch (first) {
        case 0xe0:
            return in_range(second, 0xa0, 0xbf);
        case 0xed:
            return in_range(second, 0x80, 0x9f);
        case 0xf0:
            return in_range(second, 0x90, 0xbf);
        case 0xf4:
            return in_range(second, 0x80, 0x8f);
        default:
            return in_range(second, 0x80, 0xbf);
    }
}

/// U+FDD0 to U+FDEF, and the last two of each plane (Unicode 23.7): valid UTF-8, but sd-bus sends
/// no message with them. \param character whole
bool is_noncharacter(std::string_view character) {
    const std::size_t length = character.size();
    if (length < 3) return false;
    if (character.starts_with("\xef\xb7")) return in_range(character[2], 0x90, 0xaf);
    const bool last_row = (static_cast<unsigned char>(character[length - 3]) & 0x0f) == 0x0f &&
                          character[length - 2] == '\xbf';
    return last_row && in_range(character[length - 1], 0xbe, 0xbf);
}

/// Bytes of the character that `rest` begins with; 0 when it begins with none.
std::size_t character_length(std::string_view rest) {
    const auto first = static_cast<unsigned char>(rest.front());
    if (first == 0) return 0;
    if (first < 0x80) return 1;
    std::size_t length = 0;
    if (first >= 0xc2 && first <= 0xdf) length = 2;
    if (first >= 0xe0 && first <= 0xef) length = 3;
    if (first >= 0xf0 && first <= 0xf4) length = 4;
    if (length == 0 || rest.size() < length || !second_fits(first, rest[1])) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if (!in_range(rest[i], 0x80, 0xbf)) return 0;
    }
    return is_noncharacter(rest.substr(0, length)) ? 0 : length;
}

}  // namespace

std::string bus_text(std::string_view text, std::size_t limit) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        const std::string_view piece = length == 0 ? kReplacement : text.substr(0, length);
        if (out.size() + piece.size() > limit) return out.append(kCut);
        out.append(piece);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

std::string bus_line(std::string_view text, std::size_t limit) {
    std::string out = bus_text(text, limit);
    std::replace_if(
        out.begin(),
        out.end(),
        [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte < 0x20 || byte == 0x7f;
        },
        '?');
    return out;
}

}  // namespace cfs::bus
