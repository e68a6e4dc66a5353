// SPDX-License-Identifier: Apache-2.0
#include "image/regex_form.hpp"

#include <algorithm>

namespace cfs::image {
namespace {

constexpr std::string_view kSpecial = ".[](){}*+?^$|\\";
constexpr std::string_view kQuantifiers = "*+?{";

bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Behind the bracket expression that opens at `at`.
std::size_t skip_class(std::string_view text, std::size_t at) {
    ++at;
    if (at < text.size() && text[at] == '^') ++at;
    if (at < text.size() && text[at] == ']') ++at;
    while (at < text.size() && text[at] != ']')
        at += text[at] == '\\' ? 2 : 1;
    return at + 1;
}

/// An alternative outside of parentheses makes any prefix meaningless.
bool has_top_level_alternative(std::string_view text) {
    int depth = 0;
    for (std::size_t at = 0; at < text.size();) {
        switch (text[at]) {
            case '\\':
                at += 2;
                continue;
            case '[':
                at = skip_class(text, at);
                continue;
            case '(':
                ++depth;
                break;
            case ')':
                --depth;
                break;
            case '|':
                if (depth <= 0) return true;
                break;
            default:
                break;
        }
        ++at;
    }
    return false;
}

}  // namespace

RegexForm regex_form(std::string_view expression) {
    RegexForm form;
    if (has_top_level_alternative(expression)) return form;
    std::size_t at = 0;
    while (at < expression.size()) {
        const bool escaped = expression[at] == '\\';
        const std::size_t letter = at + (escaped ? 1 : 0);
        if (letter >= expression.size()) break;
        const char c = expression[letter];
        if (escaped ? is_alnum(c) : kSpecial.find(c) != kSpecial.npos) break;
        const std::size_t next = letter + 1;
        if (next < expression.size() && kQuantifiers.find(expression[next]) != kQuantifiers.npos) {
            break;
        }
        form.prefix += c;
        at = next;
    }
    const std::string_view rest = expression.substr(at);
    if (rest.empty()) form.rest = RegexForm::Rest::Nothing;
    if (rest == "(/.*)?") form.rest = RegexForm::Rest::Subtree;
    if (rest == ".*") form.rest = RegexForm::Rest::Anything;
    return form;
}

}  // namespace cfs::image
