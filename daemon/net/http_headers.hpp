// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::net {

/// The parts of a final HTTP response's head that matter here; a value.
struct HttpResponse {
    long status = 0;
    std::string content_type;  ///< lower case, without parameters
    std::optional<std::uint64_t> content_length;
    std::string content_range;            ///< as sent
    std::string docker_content_digest;    ///< as sent
    std::string retry_after;              ///< as sent
    std::string link;                     ///< as sent
    std::string date;                     ///< as sent
    std::vector<std::string> challenges;  ///< WWW-Authenticate fields as sent, the first eight
};

/// "bytes 5-9/10" (RFC 9110 14.4).
struct ContentRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::optional<std::uint64_t> total;

    bool operator==(const ContentRange&) const = default;
};

/// nullopt when it is anything else, or last < first, or total <= last.
[[nodiscard]] std::optional<ContentRange> parse_content_range(std::string_view text);

/// Digits only, no overflow.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text);

/// Collects header lines as they come. Interim (1xx) heads are forgotten. Bounded: unknown headers
/// are not kept, known ones are cut at 4 KiB.
class HeaderCollector {
 public:
    /// One line with its line end. True when it was the empty line after a final head.
    [[nodiscard]] bool add(std::string_view line);

    [[nodiscard]] const HttpResponse& response() const { return response_; }

 private:
    void add_field(std::string_view name, std::string_view value);

    HttpResponse response_;
};

}  // namespace cfs::net
