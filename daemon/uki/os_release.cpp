// SPDX-License-Identifier: Apache-2.0
#include "uki/os_release.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "uki/text.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>

namespace cfs::uki {
namespace {

[[noreturn]] void bad(const std::string& what) {
    throw Error(ErrorCode::BadFormat,
                "os-release: " + what,
                "correct the image's os-release (see os-release(5)) and build the UKI again");
}

[[noreturn]] void bad_line(std::size_t number, const std::string& what) {
    bad("line " + std::to_string(number) + ": " + what);
}

bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool is_key(std::string_view text) {
    return !text.empty() && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter(c) || (c >= '0' && c <= '9');
           });
}

bool is_control(char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

/// Which bytes a backslash protects inside double quotes, as in a shell.
bool is_escapable(char c) {
    return c == '"' || c == '\\' || c == '$' || c == '`';
}

/// \param text behind the opening quote
std::string unquote(std::string_view text, char quote, std::size_t line) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == quote) {
            if (i + 1 != text.size()) bad_line(line, "text behind the closing quote");
            return out;
        }
        const bool escape = quote == '"' && text[i] == '\\' && i + 1 < text.size();
        if (escape && is_escapable(text[i + 1])) ++i;
        out.push_back(text[i]);
    }
    bad_line(line, "the quote is not closed");
}

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        out.push_back(text[i]);
    }
    return out;
}

std::string parse_value(std::string_view text, std::size_t line) {
    if (text.empty()) return {};
    const char first = text.front();
    if (first == '"' || first == '\'') return unquote(text.substr(1), first, line);
    return unescape(text);
}

void check_text(std::string_view text) {
    if (text.size() > kMaxOsReleaseSize) {
        bad(std::to_string(text.size()) + " bytes; at most " + std::to_string(kMaxOsReleaseSize) +
            " are read");
    }
    if (!is_utf8(text)) bad("not UTF-8");
}

}  // namespace

OsRelease OsRelease::parse(std::string_view text) {
    check_text(text);
    OsRelease out;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (std::any_of(line.begin(), line.end(), is_control)) {
            bad_line(number, "a control character: '" + printable(line) + "'");
        }
        line = trim(line);
        if (line.empty() || line.front() == '#') continue;
        const auto equals = line.find('=');
        const std::string_view key = line.substr(0, equals);
        if (equals == std::string_view::npos || !is_key(key)) {
            bad_line(number, "not an assignment: '" + printable(line) + "'");
        }
        out.fields_[std::string(key)] = parse_value(line.substr(equals + 1), number);
    }
    return out;
}

const std::string& OsRelease::get(std::string_view key) const {
    static const std::string kEmpty;
    const auto found = fields_.find(key);
    return found == fields_.end() ? kEmpty : found->second;
}

namespace {

const std::string& first_of(const OsRelease& release,
                            std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) {
        if (const std::string& value = release.get(key); !value.empty()) return value;
    }
    return release.get("");
}

}  // namespace

const std::string& OsRelease::version() const {
    return first_of(*this, {"IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID"});
}

const std::string& OsRelease::sort_key() const {
    return first_of(*this, {"IMAGE_ID", "ID"});
}

const std::string& OsRelease::pretty_name() const {
    return first_of(*this, {"PRETTY_NAME", "IMAGE_ID", "NAME", "ID"});
}

std::optional<std::uint64_t> OsRelease::security_version() const {
    const auto found = fields_.find("CFS_SECURITY_VERSION");
    if (found == fields_.end()) return std::nullopt;
    const std::string& text = found->second;
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size() || value >> 63 != 0) {
        bad("CFS_SECURITY_VERSION is '" + printable(text) +
            "'; a decimal number below 2^63 is expected");
    }
    return value;
}

}  // namespace cfs::uki
