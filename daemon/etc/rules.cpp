// SPDX-License-Identifier: Apache-2.0
#include "etc/rules.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <utility>

namespace cfs::etc {
namespace {

constexpr std::string_view kEtc = "/etc/";

constexpr std::array<std::pair<std::string_view, Policy>, 5> kWords{{
    {"keep", Policy::Keep},
    {"take", Policy::Take},
    {"both", Policy::Both},
    {"ignore", Policy::Ignore},
    {"restore", Policy::Restore},
}};

[[noreturn]] void refuse(const std::string& line, const std::string& why) {
    throw Error(ErrorCode::InvalidArgs,
                "the rule '" + printable(line, 200) + "' for /etc " + why,
                "a rule is keep, take, both, ignore or restore and a path below /etc, for example "
                "'both ssh/sshd_config'");
}

bool is_name(std::string_view name) {
    return !name.empty() && name != "." && name != "..";
}

/// 0: not a plain relative path.
std::size_t count_names(std::string_view path) {
    std::size_t count = 0;
    for (;;) {
        const auto end = path.find('/');
        if (!is_name(path.substr(0, end))) return 0;
        ++count;
        if (end == std::string_view::npos) return count;
        path.remove_prefix(end + 1);
    }
}

/// The first `count` names of `path`; empty if it has fewer.
std::string first_names(std::string_view path, std::size_t count) {
    std::size_t at = 0;
    for (;;) {
        const auto end = path.find('/', at);
        if (--count == 0) return std::string(path.substr(0, end));
        if (end == std::string_view::npos) return {};
        at = end + 1;
    }
}

}  // namespace

std::string_view to_string(Policy policy) {
    const auto found = std::find_if(
        kWords.begin(), kWords.end(), [&](const auto& word) { return word.second == policy; });
    return found == kWords.end() ? "default" : found->first;
}

Rules::Rules(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        const auto space = line.find(' ');
        const auto word = std::find_if(kWords.begin(), kWords.end(), [&](const auto& known) {
            return known.first == std::string_view(line).substr(0, space);
        });
        if (word == kWords.end()) refuse(line, "begins with none of the known words");
        const auto start = line.find_first_not_of(' ', space);
        std::string pattern = start == std::string::npos ? "" : line.substr(start);
        if (pattern.starts_with(kEtc)) pattern.erase(0, kEtc.size());
        if (pattern.ends_with('/')) pattern.pop_back();
        const std::size_t names = count_names(pattern);
        if (names == 0) refuse(line, "names no path below /etc");
        rules_.push_back({word->second, std::move(pattern), names});
    }
}

Policy Rules::find(std::string_view path) const {
    if (path == ".") return Policy::Default;
    for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
        const std::string top = first_names(path, rule->names);
        if (!top.empty() && ::fnmatch(rule->pattern.c_str(), top.c_str(), FNM_PATHNAME) == 0) {
            return rule->policy;
        }
    }
    return Policy::Default;
}

}  // namespace cfs::etc
