// SPDX-License-Identifier: Apache-2.0
#include "policy/rollout.hpp"

#include "settings/units.hpp"

#include <charconv>
#include <ctime>

namespace cfs::policy {
namespace {

constexpr std::string_view kForm = "0000-00-00T00:00:00";
constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2100;

const std::string* find(const std::map<std::string, std::string>& annotations, const char* name) {
    const auto found = annotations.find(std::string("org.cfsupdate1.rollout.") + name);
    return found == annotations.end() ? nullptr : &found->second;
}

/// \pre digits
int number(std::string_view digits) {
    int out = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return out;
}

/// '0' stands for a digit, everything else for itself.
bool looks_like(std::string_view text, std::string_view form) {
    if (text.size() != form.size()) return false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool fits =
            form[at] == '0' ? text[at] >= '0' && text[at] <= '9' : text[at] == form[at];
        if (!fits) return false;
    }
    return true;
}

/// Seconds east of Greenwich.
std::optional<int> parse_offset(std::string_view text) {
    if (text == "Z") return 0;
    if (!looks_like(text, "+00:00") && !looks_like(text, "-00:00")) return std::nullopt;
    const int hours = number(text.substr(1, 2));
    const int minutes = number(text.substr(4, 2));
    if (hours > 23 || minutes > 59) return std::nullopt;
    return (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

}  // namespace

std::optional<Time> parse_moment(std::string_view text) {
    const std::string_view local = text.substr(0, kForm.size());
    if (!looks_like(local, kForm)) return std::nullopt;
    const auto offset = parse_offset(text.substr(kForm.size()));
    std::tm parts{};
    const int year = number(local.substr(0, 4));
    parts.tm_year = year - 1900;
    parts.tm_mon = number(local.substr(5, 2)) - 1;
    parts.tm_mday = number(local.substr(8, 2));
    parts.tm_hour = number(local.substr(11, 2));
    parts.tm_min = number(local.substr(14, 2));
    parts.tm_sec = number(local.substr(17, 2));
    const std::tm meant = parts;
    if (!offset || year < kFirstYear || year > kLastYear) return std::nullopt;
    const std::time_t seconds = ::timegm(&parts);
    // The C library takes the 31st of February for a day in March; we do not.
    const bool same = parts.tm_mon == meant.tm_mon && parts.tm_mday == meant.tm_mday &&
                      parts.tm_hour == meant.tm_hour && parts.tm_min == meant.tm_min &&
                      parts.tm_sec == meant.tm_sec;
    if (!same) return std::nullopt;
    return std::chrono::system_clock::from_time_t(seconds - *offset);
}

Rollout read_rollout(const std::map<std::string, std::string>& annotations) {
    Rollout rollout;
    if (const std::string* start = find(annotations, "start")) rollout.start = parse_moment(*start);
    if (const std::string* duration = find(annotations, "duration"))
        rollout.duration = settings::parse_duration(*duration);
    if (const std::string* percent = find(annotations, "percent")) {
        const bool digits = looks_like(*percent, "0") || looks_like(*percent, "00");
        if (digits || *percent == "100") rollout.percent = static_cast<unsigned>(number(*percent));
    }
    return rollout;
}

std::optional<Time> turn(const Rollout& rollout,
                         const settings::PolicySettings& policy,
                         Time first_seen,
                         double share) {
    if (policy.rollout == settings::RolloutPart::Ignore) return first_seen;
    const unsigned percent = rollout.percent.value_or(policy.rollout_percent);
    if (share * 100 >= percent) return std::nullopt;
    const auto duration = rollout.duration.value_or(policy.rollout_spread);
    const auto wait = static_cast<double>(duration.count()) * share;
    return rollout.start.value_or(first_seen) +
           std::chrono::milliseconds(static_cast<std::int64_t>(wait));
}

}  // namespace cfs::policy
