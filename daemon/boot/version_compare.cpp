// SPDX-License-Identifier: Apache-2.0
#include "boot/version_compare.hpp"

#include <algorithm>
#include <compare>
#include <cstddef>

namespace cfs::boot {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_version_char(char c) {
    return is_digit(c) || is_alpha(c) || c == '-' || c == '.' || c == '~' || c == '^';
}

template <typename T>
int three_way(T a, T b) {
    return (a > b) - (a < b);
}

/// Takes the leading characters that satisfy `wanted` off `text`.
template <typename Predicate>
std::string_view take(std::string_view& text, Predicate wanted) {
    const auto end = std::find_if_not(text.begin(), text.end(), wanted);
    const auto count = static_cast<std::size_t>(end - text.begin());
    const std::string_view head = text.substr(0, count);
    text.remove_prefix(count);
    return head;
}

bool starts_with_digit(std::string_view text) {
    return !text.empty() && is_digit(text.front());
}

/// Any length: versions may hold dates, hashes, or what an attacker likes.
int compare_numbers(std::string_view& a, std::string_view& b) {
    // The specification's text would read a missing number as 0; loaders take any number, 0
    // included, as newer than letters.
    if (const int r = three_way(starts_with_digit(a), starts_with_digit(b)); r != 0) return r;
    const auto is_zero = [](char c) { return c == '0'; };
    (void)take(a, is_zero);
    (void)take(b, is_zero);
    const std::string_view left = take(a, is_digit);
    const std::string_view right = take(b, is_digit);
    if (const int r = three_way(left.size(), right.size()); r != 0) return r;
    return three_way(left.compare(right), 0);
}

int compare_words(std::string_view& a, std::string_view& b) {
    return three_way(take(a, is_alpha).compare(take(b, is_alpha)), 0);
}

/// A mark that only one side has next makes that side older; one that both have is skipped.
int compare_mark(std::string_view& a, std::string_view& b, char mark) {
    const bool left = a.starts_with(mark);
    const bool right = b.starts_with(mark);
    if (left != right) return left ? -1 : 1;
    a.remove_prefix(left ? 1 : 0);
    b.remove_prefix(right ? 1 : 0);
    return 0;
}

}  // namespace

int compare_versions(std::string_view a, std::string_view b) {
    const auto is_other = [](char c) { return !is_version_char(c); };
    for (;;) {
        (void)take(a, is_other);
        (void)take(b, is_other);
        if (const int r = compare_mark(a, b, '~'); r != 0) return r;
        if (a.empty() || b.empty()) return three_way(a.size(), b.size());
        for (const char mark : {'-', '^', '.'}) {
            if (const int r = compare_mark(a, b, mark); r != 0) return r;
        }
        const bool numbers = starts_with_digit(a) || starts_with_digit(b);
        const int r = numbers ? compare_numbers(a, b) : compare_words(a, b);
        if (r != 0) return r;
    }
}

}  // namespace cfs::boot
