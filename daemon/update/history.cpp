// SPDX-License-Identifier: Apache-2.0
#include "update/history.hpp"

#include "update/json.hpp"

#include <algorithm>

namespace cfs::update {
namespace {

constexpr std::size_t kMaxMessage = 600;
constexpr std::size_t kMaxWord = 200;

bool is_high(char c) {
    return (static_cast<unsigned char>(c) & 0x80U) != 0;
}

/// Can it be read back? JSON is UTF-8, and versions and messages are whatever came in.
bool is_text(const std::string& text) {
    boost::system::error_code failed;
    (void)boost::json::parse(boost::json::serialize(boost::json::string(text)), failed);
    return !failed;
}

/// At most that long, and text.
std::string cut(const std::string& text, std::size_t most) {
    std::size_t end = std::min(text.size(), most);
    while (end > 0 && end < text.size() && is_high(text[end]) &&
           (static_cast<unsigned char>(text[end]) & 0x40U) == 0)
        --end;
    std::string out = text.substr(0, end) + (end < text.size() ? "..." : "");
    if (!is_text(out)) std::replace_if(out.begin(), out.end(), is_high, '?');
    return out;
}

boost::json::object to_object(const HistoryVersion& version) {
    return {{"version", cut(version.version, kMaxWord)}, {"digest", version.digest}};
}

HistoryVersion get_version(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(boost::json::string_view(key.data(), key.size()));
    if (value == nullptr || !value->is_object()) return {};
    return {get_string(value->get_object(), "version"), get_string(value->get_object(), "digest")};
}

}  // namespace

std::string HistoryEntry::to_line() const {
    const boost::json::object object = {{"schema", 1},
                                        {"kind", kind},
                                        {"result", result},
                                        {"time", time},
                                        {"first", first},
                                        {"times", times},
                                        {"from", to_object(from)},
                                        {"to", to_object(to)},
                                        {"error", error},
                                        {"message", cut(message, kMaxMessage)},
                                        {"fetched", fetched},
                                        {"reused", reused},
                                        {"duration", duration},
                                        {"by", initiator.kind},
                                        {"uid", initiator.uid}};
    return boost::json::serialize(object) + "\n";
}

std::optional<HistoryEntry> HistoryEntry::from_line(std::string_view line) {
    const auto object = parse_object(line);
    if (!object || get_string(*object, "kind").empty()) return std::nullopt;
    HistoryEntry out;
    out.kind = get_string(*object, "kind");
    out.result = get_string(*object, "result");
    out.time = static_cast<std::int64_t>(get_number(*object, "time"));
    out.first = static_cast<std::int64_t>(get_number(*object, "first"));
    out.times = get_number(*object, "times");
    out.from = get_version(*object, "from");
    out.to = get_version(*object, "to");
    out.error = get_string(*object, "error");
    out.message = get_string(*object, "message");
    out.fetched = get_number(*object, "fetched");
    out.reused = get_number(*object, "reused");
    out.duration = get_number(*object, "duration");
    out.initiator.kind = get_string(*object, "by");
    out.initiator.uid = static_cast<std::uint32_t>(get_number(*object, "uid"));
    return out;
}

bool HistoryEntry::repeats(const HistoryEntry& last) const {
    return result == "failed" && last.result == result && last.kind == kind &&
           last.error == error && last.from == from && last.to == to && last.initiator == initiator;
}

}  // namespace cfs::update
