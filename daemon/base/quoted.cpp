// SPDX-License-Identifier: Apache-2.0
#include "base/quoted.hpp"

#include "base/bytes.hpp"

namespace cfs {

std::string quoted(std::string_view text, HighBytes high) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f || (byte > 0x7f && high == HighBytes::Escape)) {
            out += "\\u00" + to_hex({&byte, 1});
        } else {
            out += c;
        }
    }
    return out + '"';
}

}  // namespace cfs
