// SPDX-License-Identifier: Apache-2.0
#include "image/regex_form.hpp"

#include <optional>

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

/// Behind an escaped sign or a class at `at`; `at` itself at anything else.
std::size_t skip_quoted(std::string_view text, std::size_t at) {
    if (text[at] == '\\') return at + 2;
    return text[at] == '[' ? skip_class(text, at) : at;
}

/// An alternative outside of parentheses makes any prefix meaningless.
bool has_top_level_alternative(std::string_view text) {
    int depth = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (const std::size_t behind = skip_quoted(text, at); behind != at) {
            at = behind;
            continue;
        }
        switch (text[at]) {
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

/// Behind the group that opens at `at`; npos for a group that is more than parentheses.
std::size_t skip_group(std::string_view text, std::size_t at) {
    int depth = 0;
    while (at < text.size()) {
        if (const std::size_t behind = skip_quoted(text, at); behind != at) {
            at = behind;
            continue;
        }
        switch (text[at]) {
            case '(': {
                const std::string_view inside = text.substr(at + 1);
                const bool special = inside.starts_with('?') || inside.starts_with('*');
                if (special && !inside.starts_with("?:")) return text.npos;
                ++depth;
                break;
            }
            case ')':
                if (--depth == 0) return at + 1;
                break;
            default:
                break;
        }
        ++at;
    }
    return text.npos;
}

bool quantified(std::string_view text, std::size_t at) {
    return at < text.size() && kQuantifiers.find(text[at]) != kQuantifiers.npos;
}

/// Behind the quantifier at `at`, if there is one.
std::size_t skip_quantifier(std::string_view text, std::size_t at) {
    while (quantified(text, at)) {
        at = text[at] == '{' ? text.find('}', at) : at;
        if (at == text.npos) return at;
        ++at;
    }
    return at;
}

/// The literal at `at`, one byte; moves behind it. nullopt at anything else.
std::optional<char> literal(std::string_view text, std::size_t& at) {
    const bool escaped = text[at] == '\\';
    const std::size_t letter = at + (escaped ? 1 : 0);
    if (letter >= text.size()) return std::nullopt;
    const char c = text[letter];
    if (escaped ? is_alnum(c) : kSpecial.find(c) != kSpecial.npos) return std::nullopt;
    if (quantified(text, letter + 1)) return std::nullopt;
    at = letter + 1;
    return c;
}

/// Behind something that is no literal; npos when it is not understood.
std::size_t skip_other(std::string_view text, std::size_t at) {
    switch (text[at]) {
        case '\\':
            // Only an escaped sign that a quantifier follows; letters have meanings of their own.
            return at + 1 < text.size() && !is_alnum(text[at + 1]) ? at + 2 : text.npos;
        case '[':
            return skip_class(text, at);
        case '(':
            return skip_group(text, at);
        case '.':
        case '^':
        case '$':
            return at + 1;
        default:
            return kSpecial.find(text[at]) == kSpecial.npos ? at + 1 : text.npos;
    }
}

std::string longest_literal(std::string_view text) {
    std::string longest;
    std::string run;
    for (std::size_t at = 0; at < text.size();) {
        if (const auto c = literal(text, at)) {
            run += *c;
            if (run.size() > longest.size()) longest = run;
            continue;
        }
        run.clear();
        at = skip_other(text, at);
        if (at < text.size()) at = skip_quantifier(text, at);
    }
    return longest;
}

}  // namespace

RegexForm regex_form(std::string_view expression) {
    RegexForm form;
    if (has_top_level_alternative(expression)) return form;
    std::size_t at = 0;
    while (at < expression.size()) {
        const auto c = literal(expression, at);
        if (!c) break;
        form.prefix += *c;
    }
    const std::string_view rest = expression.substr(at);
    if (rest.empty()) form.rest = RegexForm::Rest::Nothing;
    if (rest == "(/.*)?") form.rest = RegexForm::Rest::Subtree;
    if (rest == ".*") form.rest = RegexForm::Rest::Anything;
    if (form.rest == RegexForm::Rest::Regex) form.required = longest_literal(rest);
    return form;
}

}  // namespace cfs::image
