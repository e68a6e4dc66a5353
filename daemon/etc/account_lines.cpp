// SPDX-License-Identifier: Apache-2.0
#include "etc/account_lines.hpp"

#include <algorithm>
#include <charconv>

namespace cfs::etc {
namespace {

constexpr std::size_t kPassword = 1;
constexpr std::size_t kExpiry = 7;
constexpr std::size_t kShadowFields = 9;

std::string join(const std::vector<std::string>& parts, char separator) {
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i != 0) out += separator;
        out += parts[i];
    }
    return out;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> split_list(const std::string& field) {
    return field.empty() ? std::vector<std::string>{} : split_text(field, ',');
}

/// Local names in their order, without those that only the vendor took away, then the vendor's new.
std::string merge_list(const std::string& before,
                       const std::string& ours,
                       const std::string& theirs) {
    const auto old = split_list(before);
    const auto next = split_list(theirs);
    std::vector<std::string> out;
    for (const std::string& name : split_list(ours)) {
        if (contains(next, name) || !contains(old, name)) out.push_back(name);
    }
    for (const std::string& name : next) {
        if (!contains(out, name) && !contains(old, name)) out.push_back(name);
    }
    return join(out, ',');
}

/// Both sides changed the line: field by field.
LineDecision merge_fields(const std::string& before,
                          const std::string& ours,
                          const std::string& theirs,
                          const std::set<std::size_t>& lists) {
    const auto old = split_text(before, ':');
    auto out = split_text(ours, ':');
    const auto next = split_text(theirs, ':');
    if (old.size() != out.size() || next.size() != out.size()) return {ours, true};
    bool withheld = false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (lists.contains(i)) {
            out[i] = merge_list(old[i], out[i], next[i]);
        } else if (out[i] == old[i]) {
            out[i] = next[i];
        } else if (next[i] != old[i] && next[i] != out[i]) {
            withheld = true;
        }
    }
    return {join(out, ':'), withheld};
}

bool is_locked(const std::vector<std::string>& fields) {
    const bool has = fields.size() > kPassword && !fields[kPassword].empty();
    return has && (fields[kPassword].front() == '!' || fields[kPassword].front() == '*');
}

std::string expiry(const std::vector<std::string>& fields) {
    return fields.size() == kShadowFields ? fields[kExpiry] : "";
}

/// Would the vendor's line open an account that is closed on this machine?
bool opens(const std::string& ours, const std::string& theirs) {
    const auto mine = split_text(ours, ':');
    const auto next = split_text(theirs, ':');
    if (is_locked(mine) && !is_locked(next)) return true;
    return !expiry(mine).empty() && expiry(mine) != expiry(next);
}

bool is_compatibility_line(const std::string& line) {
    return !line.empty() && (line.front() == '+' || line.front() == '-');
}

}  // namespace

std::vector<std::string> split_text(std::string_view text, char separator) {
    std::vector<std::string> out;
    for (;;) {
        const auto end = text.find(separator);
        out.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::uint32_t> to_number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
    return value;
}

std::optional<std::string> line_key(std::string_view line) {
    if (line.empty() || line.front() == '#') return std::nullopt;
    return std::string(line.substr(0, line.find(':')));
}

LineTable::LineTable(std::string_view text) : lines(split_text(text, '\n')) {
    if (lines.back().empty()) lines.pop_back();
    for (const std::string& line : lines) {
        const auto key = line_key(line);
        if (!key) continue;
        if (by_key.emplace(*key, line).second) {
            keys.push_back(*key);
        } else {
            ambiguous = true;
        }
    }
}

Line LineTable::find(const std::string& key) const {
    const auto found = by_key.find(key);
    if (found == by_key.end()) return std::nullopt;
    return found->second;
}

LineDecision merge_line(const Line& pristine,
                        const Line& current,
                        const Line& next,
                        const std::set<std::size_t>& lists) {
    if (current == next) return {current, false};
    if (current && next && opens(*current, *next)) return {current, next != pristine};
    if (current == pristine) return {next, false};
    if (next == pristine) return {current, false};
    if (pristine && current && next) return merge_fields(*pristine, *current, *next, lists);
    return {current, true};
}

std::string write_lines(const LineTable& current,
                        const std::vector<std::string>& next_keys,
                        const std::function<Line(const std::string&)>& results) {
    std::vector<std::string> out;
    for (const std::string& line : current.lines) {
        const auto key = line_key(line);
        const Line result = key ? results(*key) : Line(line);
        if (result) out.push_back(*result);
    }
    std::vector<std::string> added;
    for (const std::string& key : next_keys) {
        if (current.by_key.contains(key)) continue;
        if (Line result = results(key)) added.push_back(std::move(*result));
    }
    const auto place = std::find_if(out.begin(), out.end(), is_compatibility_line);
    out.insert(place, added.begin(), added.end());
    std::string text;
    for (const std::string& line : out)
        text += line + "\n";
    return text;
}

}  // namespace cfs::etc
