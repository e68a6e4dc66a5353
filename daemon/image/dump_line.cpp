// SPDX-License-Identifier: Apache-2.0
#include "image/dump_line.hpp"

#include "base/error.hpp"
#include "image/dump_fields.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace cfs::image {
namespace {

constexpr std::size_t kMaxInlineRust = 512;
constexpr std::size_t kMaxInlineC = 5000;
constexpr std::size_t kMaxXattrText = 65535;   ///< the C tool's, of one line
constexpr std::size_t kMaxXattrTotal = 32767;  ///< of what one inode stores
constexpr std::size_t kMaxKnownXattrs = 4096;

std::string_view cut(std::string_view& rest) {
    const bool one_sign = rest.size() > 1 && rest[0] != ' ' && rest[1] == ' ';  // "-" as a rule
    const auto end = one_sign ? 1 : std::min(rest.find(' '), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return text;
}

/// Where the first blank of eight bytes is; 8 without one.
std::size_t blank_in_eight(const char* at) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, sizeof eight);
    const std::uint64_t differs = eight ^ (kOnes * ' ');
    const std::uint64_t found = (differs - kOnes) & ~differs & (kOnes << 7);
    if (found == 0) return 8;
    return static_cast<std::size_t>(std::countr_zero(found)) / 8;
}

/// The same for fields of a few bytes, where a step of eight beats a search.
std::string_view cut_short(std::string_view& rest) {
    std::size_t end = 0;
    if constexpr (std::endian::native == std::endian::little) {
        if (rest.size() >= 8) end = blank_in_eight(rest.data());
    }
    while (end < rest.size() && rest[end] != ' ')
        ++end;
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return text;
}

/// Nearly all numbers: digits and nothing else. Wraps around when there are too many.
std::optional<std::uint64_t> plain_number(std::string_view field, std::uint64_t base) {
    if (field.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : field) {
        const auto digit = static_cast<std::uint64_t>(static_cast<unsigned char>(c)) - '0';
        if (digit >= base) return std::nullopt;
        value = value * base + digit;
    }
    return value;
}

/// Digits, a sign and blanks as strtoull() takes them.
struct Spelled {
    std::string_view digits;
    bool negative = false;
};

Spelled spelled_like_c(std::string_view field) {
    constexpr std::string_view kBlanks = "\t\v\f\r";
    field.remove_prefix(std::min(field.find_first_not_of(kBlanks), field.size()));
    Spelled spelled{field};
    if (!field.empty() && (field.front() == '-' || field.front() == '+')) {
        spelled.negative = field.front() == '-';
        spelled.digits.remove_prefix(1);
    }
    return spelled;
}

}  // namespace

void bad_field(std::string_view field, std::string what, std::string hint) {
    throw LineError{field.data(), std::move(what), std::move(hint)};
}

Line LineReader::split(std::string_view text) const {
    struct Field {
        std::string_view Line::*place;
        std::string_view name;
        bool is_short;
    };
    constexpr std::array<Field, 11> kFields = {{{&Line::path, "PATH", false},
                                                {&Line::size, "SIZE", true},
                                                {&Line::mode, "MODE", true},
                                                {&Line::nlink, "NLINK", true},
                                                {&Line::uid, "UID", true},
                                                {&Line::gid, "GID", true},
                                                {&Line::rdev, "RDEV", true},
                                                {&Line::mtime, "MTIME", true},
                                                {&Line::payload, "PAYLOAD", false},
                                                {&Line::content, "CONTENT", false},
                                                {&Line::digest, "DIGEST", false}}};
    if (const auto nul = may_hold_nul_ ? text.find('\0') : text.npos; nul != text.npos) {
        bad_field(text.substr(nul), "the line holds a NUL byte", "Write it as \\x00.");
    }
    Line line;
    for (const Field& field : kFields) {
        if (text.empty() && !c_) {
            bad_field(text,
                      "field " + std::string(field.name) + " is missing",
                      "Eleven fields are separated by one space each.");
        }
        line.*field.place = field.is_short ? cut_short(text) : cut(text);
    }
    line.xattrs = text;
    return line;
}

/// The unescaped field. The C tool cuts it at an escaped NUL byte, composefs-rs refuses that.
std::string_view LineReader::text(std::string_view field,
                                  std::string_view name,
                                  std::string& scratch) const {
    if (field.find('\\') == field.npos) return field;
    scratch.clear();
    unescape_to(scratch, field);
    const auto nul = scratch.find('\0');
    if (nul == scratch.npos) return scratch;
    if (!c_) bad_field(field, std::string(name) + " holds a NUL byte");
    return std::string_view(scratch).substr(0, nul);
}

std::string_view LineReader::path(std::string_view field) {
    return text(field, "PATH", path_);
}

std::uint64_t LineReader::number(std::string_view field,
                                 std::string_view name,
                                 int base,
                                 std::uint64_t max) const {
    if (field.size() == 1 && '0' <= field[0] && field[0] <= '7')  // more than half of all
        return static_cast<std::uint64_t>(field[0] - '0');
    const auto step = static_cast<std::uint64_t>(base);
    constexpr std::size_t kSafeDigits = 19;  // that many nines fit 64 bits
    if (const auto plain = plain_number(field, step);
        plain && field.size() <= kSafeDigits && (c_ || *plain <= max)) {
        return *plain;
    }
    const Spelled spelled = c_ ? spelled_like_c(field) : Spelled{field};
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    bool good = !spelled.digits.empty();
    bool over = false;
    for (const char c : spelled.digits) {
        const auto digit = static_cast<std::uint64_t>(static_cast<unsigned char>(c)) - '0';
        good = good && digit < step;
        over = over || value > (kMost - digit) / step;
        value = value * step + digit;
    }
    if (!good || (!c_ && (over || value > max))) {
        bad_field(field,
                  std::string(name) + " is '" + printable(field) + "', expected an unsigned " +
                      (base == 8 ? "octal" : "decimal") + " number up to " + std::to_string(max));
    }
    // As strtoull() has it: too much is the most there is, and a sign wraps around.
    if (over) return kMost;
    return spelled.negative ? 0 - value : value;
}

std::uint32_t LineReader::mode(std::string_view field) const {
    const std::uint64_t value = number(field, "MODE", 8, 0177777);
    const auto mode = static_cast<std::uint32_t>(value & 0177777);
    if (!file_type_from_mode(mode)) {
        bad_field(field,
                  "MODE " + printable(field) + " has an unknown file type",
                  "MODE is octal and has the type's bits, 100644 for a plain file.");
    }
    return mode;
}

std::uint32_t LineReader::number32(std::string_view field, std::string_view name) const {
    return static_cast<std::uint32_t>(
        number(field, name, 10, std::numeric_limits<std::uint32_t>::max()));
}

std::uint64_t LineReader::number64(std::string_view field, std::string_view name) const {
    return number(field, name, 10, std::numeric_limits<std::uint64_t>::max());
}

Metadata LineReader::metadata(const Line& line, std::uint32_t mode) {
    Metadata meta;
    meta.mode = mode & 07777;
    meta.uid = number32(line.uid, "UID");
    meta.gid = number32(line.gid, "GID");
    read_mtime(line.mtime, meta);
    if (!line.xattrs.empty()) meta.xattrs = xattrs(line.xattrs);
    return meta;
}

void LineReader::read_mtime(std::string_view field, Metadata& meta) const {
    const auto dot = field.find('.');
    if (dot == field.npos) {
        bad_field(field, "MTIME is '" + printable(field) + "', expected SECONDS.NANOSECONDS");
    }
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    meta.mtime_sec =
        static_cast<std::int64_t>(number(field.substr(0, dot), "MTIME's seconds", 10, kMax));
    meta.mtime_nsec = number32(field.substr(dot + 1), "MTIME's nanoseconds");
}

std::string_view LineReader::payload(std::string_view field) {
    if (field == "-") return {};
    const std::string_view value = text(field, "PAYLOAD", payload_);
    if (value.size() > kMaxPath) {
        bad_field(field,
                  "PAYLOAD has " + std::to_string(value.size()) + " bytes, expected at most " +
                      std::to_string(kMaxPath));
    }
    return value;
}

std::optional<std::string> LineReader::content(std::string_view field, std::uint64_t size) {
    if (field == "-") return std::nullopt;
    std::string value;
    unescape_to(value, field);
    const std::size_t limit = c_ ? kMaxInlineC : kMaxInlineRust;
    if (value.size() > limit) {
        bad_field(field,
                  "CONTENT has " + std::to_string(value.size()) + " bytes, expected at most " +
                      std::to_string(limit),
                  "Bigger files are stored as objects and named by PAYLOAD and DIGEST.");
    }
    if (value.size() != size) {
        bad_field(field,
                  "CONTENT has " + std::to_string(value.size()) + " bytes, expected SIZE, " +
                      std::to_string(size));
    }
    return value;
}

std::optional<Digest> LineReader::digest(std::string_view field) {
    if (field == "-") return std::nullopt;
    const std::string_view hex = c_ ? text(field, "DIGEST", digest_) : field;
    std::array<std::uint8_t, 64> bytes{};
    const std::size_t size = digest_size(algorithm_);
    const bool fits = hex.size() == 2 * size;
    int all = 0;  // negative once one digit is none
    for (std::size_t i = 0; fits && i < size; ++i) {
        const int high = hex_value(hex[2 * i]);
        const int low = hex_value(hex[2 * i + 1]);
        all |= high | low;
        bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (!fits || all < 0) {
        bad_field(field,
                  "DIGEST '" + printable(field) + "' is no " + std::string(to_string(algorithm_)) +
                      " digest of " + std::to_string(2 * size) + " hexadecimal digits");
    }
    return Digest(algorithm_, ByteView(bytes).first(size));
}

bool LineReader::is_object_path(std::string_view payload) const {
    const auto digest = digest_from_object_path(payload);
    return digest && digest->algorithm() == algorithm_;
}

/// Lines with the text of an earlier one get its result: labels come in thousands.
const Xattrs& LineReader::xattrs(std::string_view text) {
    if (text == last_text_) return last_xattrs_;
    last_text_ = text;
    if (const auto known = known_xattrs_.find(last_text_); known != known_xattrs_.end()) {
        last_xattrs_ = known->second;
        return last_xattrs_;
    }
    if (c_ && text.size() > kMaxXattrText) {
        last_text_.clear();
        bad_field(text,
                  "the attributes have " + std::to_string(text.size()) +
                      " bytes, expected at most " + std::to_string(kMaxXattrText));
    }
    last_xattrs_ = {};
    std::string_view rest = text;
    last_text_.clear();  // until all of it is known to be good
    if (rest.ends_with(' ')) rest.remove_suffix(1);
    std::size_t total = 12;
    while (!rest.empty()) {
        const bool more = rest.find(' ') != rest.npos;
        add_xattr(cut(rest), last_xattrs_, total);
        if (more && rest.empty()) bad_field(rest, "an attribute is empty, expected KEY=VALUE");
    }
    last_text_ = text;
    if (known_xattrs_.size() < kMaxKnownXattrs && text.size() <= 1024) {
        known_xattrs_.emplace(last_text_, last_xattrs_);
    }
    return last_xattrs_;
}

void LineReader::add_xattr(std::string_view pair, Xattrs& xattrs, std::size_t& total) const {
    const auto equals = pair.find('=');
    if (equals == pair.npos) {
        bad_field(pair, "attribute '" + printable(pair) + "' has no '='");
    }
    std::string scratch;
    const std::string name(text(pair.substr(0, equals), "an attribute's name", scratch));
    std::string value;
    unescape_to(value, pair.substr(equals + 1));
    if (name.empty() || name.size() > kMaxXattrName) {
        bad_field(pair,
                  "an attribute's name has " + std::to_string(name.size()) +
                      " bytes, expected 1 to " + std::to_string(kMaxXattrName));
    }
    if (const auto old = xattrs.find(name); old != xattrs.end()) {
        total -= 7 + name.size() + old->second.size();
    }
    total += 7 + name.size() + value.size();
    if (total > kMaxXattrTotal) {
        bad_field(pair,
                  "the attributes take " + std::to_string(total) +
                      " bytes or more, expected at most " + std::to_string(kMaxXattrTotal));
    }
    xattrs.insert_or_assign(name, std::move(value));
}

}  // namespace cfs::image
