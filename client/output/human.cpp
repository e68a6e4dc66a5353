// SPDX-License-Identifier: Apache-2.0
#include "client/output/human.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace cfs::client {
namespace {

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

std::string local_time(std::int64_t seconds_since_epoch, const char* format) {
    if (seconds_since_epoch == 0) return "never";
    const std::time_t when = seconds_since_epoch;
    std::tm local{};
    if (::localtime_r(&when, &local) == nullptr) return "?";
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), format, &local);
    return text.data();
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
    if (bytes < 1024) return std::to_string(bytes) + " B";
    static constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    // 1023.95 would print as "1024.0".
    while (value >= 1023.95 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", value, kUnits.at(unit));
    return text.data();
}

std::string human_duration(std::uint64_t seconds) {
    const std::uint64_t hours = seconds / 3600;
    if (hours > 99) return ">99 h";
    const unsigned minutes = static_cast<unsigned>(seconds / 60 % 60);
    const unsigned rest = static_cast<unsigned>(seconds % 60);
    std::array<char, 32> text{};
    if (hours > 0) {
        std::snprintf(
            text.data(), text.size(), "%u:%02u:%02u", static_cast<unsigned>(hours), minutes, rest);
    } else {
        std::snprintf(text.data(), text.size(), "%u:%02u", minutes, rest);
    }
    return text.data();
}

std::string human_time(std::int64_t seconds_since_epoch) {
    return local_time(seconds_since_epoch, "%Y-%m-%d %H:%M");
}

std::string human_date(std::int64_t seconds_since_epoch) {
    return local_time(seconds_since_epoch, "%Y-%m-%d");
}

std::string plural(std::uint64_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        if (lines.empty() || columns(lines.back()) + 1 + columns(word) > width) {
            lines.emplace_back(word);
        } else {
            lines.back() += " " + std::string(word);
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string fold(std::string_view text, std::size_t width) {
    constexpr std::size_t kFurther = 2;
    std::string out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
        if (width == 0 || columns(line) <= width || indent + kFurther >= width) {
            out += line;
        } else {
            std::string lead(indent, ' ');
            for (const std::string& part : wrap(line.substr(indent), width - indent - kFurther)) {
                if (part.empty()) continue;
                out += (lead.size() == indent ? "" : "\n") + lead + part;
                lead = std::string(indent + kFurther, ' ');
            }
        }
        if (end < text.size()) out += '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string fold_columns(std::string_view text, std::size_t width, std::size_t column) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string line(text.substr(0, end));
        while (columns(line) > width) {
            const std::size_t at = line.rfind(' ', width);
            if (at == std::string::npos || at <= column) break;
            out += line.substr(0, at) + "\n";
            line = std::string(column, ' ') + line.substr(at + 1);
        }
        out += line;
        if (end < text.size()) out += '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::size_t columns(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text)
        count += continues(c) ? 0 : 1;
    return count;
}

std::string shorten(std::string_view text, std::size_t width) {
    if (columns(text) <= width) return std::string(text);
    const std::string_view dots = std::string_view("...").substr(0, width);
    std::size_t keep = width - dots.size();
    std::size_t end = 0;
    while (end < text.size() && (keep > 0 || continues(text[end]))) {
        if (!continues(text[end])) --keep;
        ++end;
    }
    return std::string(text.substr(0, end)) + std::string(dots);
}

}  // namespace cfs::client
