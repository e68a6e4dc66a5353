// SPDX-License-Identifier: Apache-2.0
#include "image/dump_fields.hpp"

#include "base/bytes.hpp"
#include "image/dump_line.hpp"

#include <algorithm>

namespace cfs::image {
namespace {

void append_char(std::string& out, char c, bool escape_equals) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    if (byte > 0x20 && byte < 0x7f && !(c == '=' && escape_equals)) {
        out += c;
        return;
    }
    out += "\\x";
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
}

/// `text` starts with the backslash. \returns the length of the escape
std::size_t unescape_one(std::string& out, std::string_view text) {
    const char kind = text.size() < 2 ? '\0' : text[1];
    if (kind == 'x' && text.size() >= 4 && hex_value(text[2]) >= 0 && hex_value(text[3]) >= 0) {
        out += static_cast<char>(hex_value(text[2]) * 16 + hex_value(text[3]));
        return 4;
    }
    constexpr std::string_view kLetters = "\\nrt";
    constexpr std::string_view kMeanings = "\\\n\r\t";
    const auto letter = kLetters.find(kind);
    if (letter == kLetters.npos) {
        bad_field(text,
                  "the escape '" + printable(text.substr(0, 4)) + "' is unknown or unfinished",
                  "Known escapes are \\\\, \\n, \\r, \\t and \\xHH.");
    }
    out += kMeanings[letter];
    return 2;
}

}  // namespace

void append_escaped(std::string& out, std::string_view raw, DumpField kind) {
    if (kind != DumpField::XattrValue) {
        if (raw.empty()) out += '-';
        if (raw == "-") {
            out += "\\x2d";
            return;
        }
    }
    for (const char c : raw)
        append_char(out, c, kind != DumpField::Plain);
}

void unescape_to(std::string& out, std::string_view field) {
    for (;;) {
        const auto plain = std::min(field.find('\\'), field.size());
        out.append(field.substr(0, plain));
        field.remove_prefix(plain);
        if (field.empty()) return;
        field.remove_prefix(unescape_one(out, field));
    }
}

}  // namespace cfs::image
