// SPDX-License-Identifier: Apache-2.0
#include "net/http_headers.hpp"

#include <algorithm>
#include <limits>

namespace cfs::net {
namespace {

constexpr std::size_t kMaxValue = 4096;
constexpr std::size_t kMaxChallenges = 8;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// "HTTP/1.1 200 OK" and "HTTP/2 200" -> 200.
long status_of(std::string_view line) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return 0;
    return static_cast<long>(parse_decimal(line.substr(space + 1, 3)).value_or(0));
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
        value = value * 10 + digit;
    }
    return value;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
    constexpr std::string_view kUnit = "bytes ";
    const auto dash = text.find('-');
    const auto slash = text.find('/');
    if (!text.starts_with(kUnit) || dash == std::string_view::npos ||
        slash == std::string_view::npos || slash < dash) {
        return std::nullopt;
    }
    const auto first = parse_decimal(text.substr(kUnit.size(), dash - kUnit.size()));
    const auto last = parse_decimal(text.substr(dash + 1, slash - dash - 1));
    const std::string_view total = text.substr(slash + 1);
    ContentRange out;
    if (total != "*") out.total = parse_decimal(total);
    if (!first || !last || *last < *first || (total != "*" && !out.total)) return std::nullopt;
    if (out.total && *out.total <= *last) return std::nullopt;
    out.first = *first;
    out.last = *last;
    return out;
}

bool HeaderCollector::add(std::string_view line) {
    if (line.starts_with("HTTP/")) {
        response_ = HttpResponse{};
        response_.status = status_of(line);
        return false;
    }
    if (trimmed(line).empty()) return response_.status >= 200;
    if (const auto colon = line.find(':'); colon != std::string_view::npos) {
        add_field(lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
    }
    return false;
}

void HeaderCollector::add_field(std::string_view name, std::string_view value) {
    value = value.substr(0, kMaxValue);
    if (name == "content-type") {
        response_.content_type = lower(trimmed(value.substr(0, value.find(';'))));
    } else if (name == "content-length") {
        response_.content_length = parse_decimal(value);
    } else if (name == "content-range") {
        response_.content_range = value;
    } else if (name == "docker-content-digest") {
        response_.docker_content_digest = value;
    } else if (name == "retry-after") {
        response_.retry_after = value;
    } else if (name == "link") {
        response_.link = value;
    } else if (name == "date") {
        response_.date = value;
    } else if (name == "www-authenticate" && response_.challenges.size() < kMaxChallenges) {
        response_.challenges.emplace_back(value);
    }
}

}  // namespace cfs::net
