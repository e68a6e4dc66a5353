// SPDX-License-Identifier: Apache-2.0
#include "image/dump_fields.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

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

[[noreturn]] void bad_escape(std::string_view field) {
    throw Error(ErrorCode::BadFormat,
                "field '" + printable(field) + "' has an unknown or unfinished escape",
                "Known escapes are \\\\, \\n, \\r, \\t and \\xHH.");
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

std::string unescape(std::string_view field) {
    std::string out;
    out.reserve(field.size());
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (field[i] != '\\') {
            out += field[i];
            continue;
        }
        if (++i == field.size()) bad_escape(field);
        switch (field[i]) {
            case '\\':
                out += '\\';
                break;
            case 'n':
                out += '\n';
                break;
            case 'r':
                out += '\r';
                break;
            case 't':
                out += '\t';
                break;
            case 'x': {
                const auto byte = from_hex(field.substr(i + 1, 2));
                if (!byte || byte->size() != 1) bad_escape(field);
                out += static_cast<char>(byte->front());
                i += 2;
                break;
            }
            default:
                bad_escape(field);
        }
    }
    return out;
}

}  // namespace cfs::image
