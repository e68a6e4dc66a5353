// SPDX-License-Identifier: Apache-2.0
#include "settings/valid.hpp"

#include <algorithm>
#include <array>

namespace cfs::settings {
namespace {

/// Names with one slash between them, none of which leads elsewhere.
bool is_path_below(std::string_view path) {
    for (;;) {
        const auto end = path.find('/');
        const std::string_view name = path.substr(0, end);
        if (name.empty() || name == "." || name == "..") return false;
        if (end == std::string_view::npos) return true;
        path.remove_prefix(end + 1);
    }
}

}  // namespace

bool is_plain(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
}

bool is_absolute_path(std::string_view text) {
    return !text.empty() && text.front() == '/' && is_plain(text);
}

bool is_path_or_empty(std::string_view text) {
    return text.empty() || is_absolute_path(text);
}

bool is_path_or_auto(std::string_view text) {
    return text == "auto" || is_absolute_path(text);
}

bool is_proxy(std::string_view text) {
    constexpr std::array<std::string_view, 4> kSchemes = {
        "http://", "https://", "socks5://", "socks5h://"};
    return text.empty() || text == "direct" ||
           (is_plain(text) && std::any_of(kSchemes.begin(), kSchemes.end(), [&](auto scheme) {
                return text.starts_with(scheme) && text.size() > scheme.size();
            }));
}

bool is_rate(std::uint64_t rate) {
    return rate == 0 || (rate >= std::uint64_t{64} << 10 && rate <= std::uint64_t{1} << 40);
}

bool is_etc_rule(std::string_view text) {
    constexpr std::array<std::string_view, 5> kWords = {
        "keep ", "take ", "both ", "ignore ", "restore "};
    constexpr std::string_view kEtc = "/etc/";
    if (!is_plain(text)) return false;
    const auto word = std::find_if(
        kWords.begin(), kWords.end(), [&](auto known) { return text.starts_with(known); });
    if (word == kWords.end()) return false;
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ', word->size() - 1)));
    if (text.starts_with(kEtc)) text.remove_prefix(kEtc.size());
    if (text.ends_with('/')) text.remove_suffix(1);
    return is_path_below(text);
}

}  // namespace cfs::settings
