// SPDX-License-Identifier: Apache-2.0
#include "image/tar_header.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <numeric>

namespace cfs::image {
namespace {

[[noreturn]] void bad(const std::string& what, std::string hint = {}) {
    throw Error(ErrorCode::BadFormat, what, std::move(hint));
}

std::string_view field(ByteView block, std::size_t offset, std::size_t size) {
    return as_text(block.subspan(offset, size));
}

std::string text_field(ByteView block, std::size_t offset, std::size_t size) {
    const std::string_view text = field(block, offset, size);
    return std::string(text.substr(0, text.find('\0')));
}

/// GNU's base-256: big endian, first bit set; the second one is the sign.
std::uint64_t binary_number(std::string_view text, std::string_view what) {
    if ((text[0] & 0x40) != 0) bad(std::string(what) + " is negative");
    std::uint64_t value = text[0] & 0x3f;
    for (const char c : text.substr(1)) {
        if (value >> 56 != 0) bad(std::string(what) + " is beyond 64 bits");
        value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
}

std::uint64_t octal_number(std::string_view text, std::string_view what) {
    constexpr std::string_view kBlank(" \0", 2);
    const auto first = text.find_first_not_of(kBlank);
    if (first == text.npos) return 0;
    text = text.substr(first, text.find_last_not_of(kBlank) - first + 1);
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '7') {
            bad(std::string(what) + " is '" + printable(text) + "', expected an octal number");
        }
        value = value << 3 | static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

std::uint64_t number_field(ByteView block,
                           std::size_t offset,
                           std::size_t size,
                           std::string_view what) {
    const std::string_view text = field(block, offset, size);
    return (text[0] & 0x80) != 0 ? binary_number(text, what) : octal_number(text, what);
}

/// Historic programs summed signed bytes; both sums are accepted.
void check_sum(ByteView block) {
    constexpr std::size_t kOffset = 148;
    constexpr std::size_t kSize = 8;
    std::int64_t plain = kSize * ' ';
    std::int64_t with_sign = plain;
    for (std::size_t i = 0; i < block.size(); ++i) {
        if (i >= kOffset && i < kOffset + kSize) continue;
        plain += block[i];
        with_sign += static_cast<std::int8_t>(block[i]);
    }
    const auto found = number_field(block, kOffset, kSize, "the header checksum");
    if (found != static_cast<std::uint64_t>(plain) &&
        found != static_cast<std::uint64_t>(with_sign)) {
        bad("the header checksum is " + std::to_string(found) + ", expected " +
                std::to_string(plain),
            "The archive is damaged, or is no tar archive at this place.");
    }
}

std::uint64_t decimal(std::string_view text, std::string_view what) {
    std::uint64_t value = 0;
    const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c >= '0' && c <= '9';
    });
    for (const char c : text) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (!digits || value > (UINT64_MAX - digit) / 10) {
            bad("PAX " + std::string(what) + " is '" + printable(text) +
                "', expected an unsigned decimal number");
        }
        value = 10 * value + digit;
    }
    if (text.empty()) bad("PAX " + std::string(what) + " is empty, expected a decimal number");
    return value;
}

/// Nine digits, cut or padded.
std::uint32_t nanoseconds(std::string_view fraction) {
    std::string digits(fraction.substr(0, 9));
    digits.resize(9, '0');
    (void)decimal(fraction.empty() ? "0" : fraction, "mtime's fraction");
    return static_cast<std::uint32_t>(decimal(digits, "mtime's fraction"));
}

void apply_mtime(std::string_view value, PaxRecords& pax) {
    const auto dot = std::min(value.find('.'), value.size());
    pax.mtime = decimal(value.substr(0, dot), "mtime");
    if (!pax.mtime_nsec) {
        pax.mtime_nsec = nanoseconds(value.substr(std::min(dot + 1, value.size())));
    }
}

void apply_xattr(std::string_view name, std::string_view value, PaxRecords& pax) {
    if (name.empty() || name.size() > kMaxXattrName || name.find('\0') != name.npos ||
        value.size() > kMaxXattrValue) {
        bad("extended attribute '" + printable(name) + "' has a name of " +
            std::to_string(name.size()) + " and a value of " + std::to_string(value.size()) +
            " bytes, expected 1 to 255 and at most 65535");
    }
    pax.xattrs.insert_or_assign(std::string(name), std::string(value));
}

void apply_record(std::string_view key, std::string_view value, PaxRecords& pax) {
    constexpr std::string_view kXattr = "SCHILY.xattr.";
    if (key == "path") {
        pax.path = value;
    } else if (key == "linkpath") {
        pax.link = value;
    } else if (key == "size") {
        pax.size = decimal(value, key);
    } else if (key == "uid") {
        pax.uid = decimal(value, key);
    } else if (key == "gid") {
        pax.gid = decimal(value, key);
    } else if (key == "mtime") {
        apply_mtime(value, pax);
    } else if (key.starts_with(kXattr)) {
        apply_xattr(key.substr(kXattr.size()), value, pax);
    } else if (key.starts_with("GNU.sparse.")) {
        bad("the file is sparse (" + printable(key) + "), expected a plain one",
            "Build the image without sparse archive members (tar without --sparse).");
    }
}

}  // namespace

bool is_zero_block(ByteView block) {
    return std::all_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte == 0; });
}

TarHeader parse_tar_header(ByteView block) {
    check_sum(block);
    const std::string_view magic = field(block, 257, 8);
    const bool ustar = magic == std::string_view("ustar\00000", 8);
    const bool gnu = magic == std::string_view("ustar  \0", 8);
    TarHeader header;
    header.name = text_field(block, 0, 100);
    if (ustar && block[345] != 0) header.name = text_field(block, 345, 155) + '/' + header.name;
    header.link = text_field(block, 157, 100);
    header.type = static_cast<char>(block[156]);
    header.mode = number_field(block, 100, 8, "the mode");
    header.uid = number_field(block, 108, 8, "the owner");
    header.gid = number_field(block, 116, 8, "the group");
    header.size = number_field(block, 124, 12, "the size");
    header.mtime = number_field(block, 136, 12, "the mtime");
    if ((ustar || gnu) && (header.type == '3' || header.type == '4')) {
        header.rdev = make_rdev(number_field(block, 329, 8, "the device's major number"),
                                number_field(block, 337, 8, "the device's minor number"));
    }
    return header;
}

PaxRecords parse_pax(std::string_view records) {
    PaxRecords pax;
    while (!records.empty()) {
        const auto space = records.find(' ');
        const std::uint64_t length =
            space == records.npos ? 0 : decimal(records.substr(0, space), "record length");
        if (length <= space + 1 || length > records.size() || records[length - 1] != '\n') {
            bad("PAX record '" + printable(records, 40) + "' has a wrong length");
        }
        const std::string_view record = records.substr(space + 1, length - space - 2);
        const auto equals = record.find('=');
        if (equals == record.npos || equals == 0) {
            bad("PAX record '" + printable(record, 40) + "' has no key or no '='");
        }
        apply_record(record.substr(0, equals), record.substr(equals + 1), pax);
        records.remove_prefix(length);
    }
    return pax;
}

std::string normalise_path(std::string_view raw) {
    if (raw.find('\0') != raw.npos) bad("path '" + printable(raw) + "' holds a NUL byte");
    std::string path;
    for (std::size_t at = 0; at < raw.size();) {
        const auto end = std::min(raw.find('/', at), raw.size());
        const std::string_view name = raw.substr(at, end - at);
        at = end + 1;
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            bad("path '" + printable(raw) + "' has a '..' component",
                "An image must not name files outside itself.");
        }
        if (name.size() > kMaxName) {
            bad("component '" + printable(name) + "' has " + std::to_string(name.size()) +
                " bytes, expected at most 255");
        }
        if (!path.empty()) path += '/';
        path += name;
    }
    if (path.size() >= kMaxPath) {
        bad("path '" + printable(path) + "' has " + std::to_string(path.size()) +
            " bytes, expected less than " + std::to_string(kMaxPath));
    }
    return path;
}

}  // namespace cfs::image
