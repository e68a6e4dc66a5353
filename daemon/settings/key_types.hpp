// SPDX-License-Identifier: Apache-2.0
/// \file What a key of each type reads and prints: the makers of Key. Private to the component.
#pragma once

#include "base/quoted.hpp"
#include "settings/keys.hpp"
#include "settings/units.hpp"
#include "settings/valid.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace cfs::settings {

inline std::string in_quotes(std::string_view text) {
    return quoted(text, HighBytes::Keep);
}

/// `member` picks the field; `valid` judges a string before it is taken.
template <typename Member, typename Valid>
Key text_key(std::string_view name, std::string_view allowed, Member member, Valid valid) {
    return {name,
            allowed,
            [member, valid](Settings& settings, const Value& value) {
                const auto* text = std::get_if<std::string>(&value);
                if (text == nullptr || !valid(*text)) return false;
                member(settings) = *text;
                return true;
            },
            [member](const Settings& settings) { return in_quotes(member(settings)); }};
}

template <typename Member>
Key path_key(std::string_view name, Member member) {
    return text_key(name, "an absolute path", member, is_absolute_path);
}

template <typename Member, typename Valid>
Key list_key(std::string_view name, std::string_view allowed, Member member, Valid valid) {
    return {name,
            allowed,
            [member, valid](Settings& settings, const Value& value) {
                const auto* items = std::get_if<std::vector<std::string>>(&value);
                if (items == nullptr || !std::all_of(items->begin(), items->end(), valid)) {
                    return false;
                }
                member(settings) = *items;
                return true;
            },
            [member](const Settings& settings) { return list_in_quotes(member(settings)); }};
}

template <typename Member>
Key bool_key(std::string_view name, Member member) {
    return {name,
            "true or false",
            [member](Settings& settings, const Value& value) {
                const auto* flag = std::get_if<bool>(&value);
                if (flag == nullptr) return false;
                member(settings) = *flag;
                return true;
            },
            [member](const Settings& settings) -> std::string {
                return member(settings) ? "true" : "false";
            }};
}

template <typename Member>
Key count_key(std::string_view name,
              std::string_view allowed,
              std::int64_t least,
              std::int64_t most,
              Member member) {
    return {name,
            allowed,
            [member, least, most](Settings& settings, const Value& value) {
                const auto* number = std::get_if<std::int64_t>(&value);
                if (number == nullptr || *number < least || *number > most) return false;
                auto& field = member(settings);
                field = static_cast<std::decay_t<decltype(field)>>(*number);
                return true;
            },
            [member](const Settings& settings) { return std::to_string(member(settings)); }};
}

template <typename Member, typename Valid>
Key size_key(std::string_view name, std::string_view allowed, Member member, Valid valid) {
    return {
        name,
        allowed,
        [member, valid](Settings& settings, const Value& value) {
            std::optional<std::uint64_t> size;
            if (const auto* text = std::get_if<std::string>(&value)) size = parse_size(*text);
            if (const auto* number = std::get_if<std::int64_t>(&value); number && *number >= 0) {
                size = static_cast<std::uint64_t>(*number);
            }
            if (!size || !valid(*size)) return false;
            member(settings) = *size;
            return true;
        },
        [member](const Settings& settings) { return in_quotes(format_size(member(settings))); }};
}

template <typename Member>
Key size_key(std::string_view name,
             std::string_view allowed,
             std::uint64_t least,
             std::uint64_t most,
             Member member) {
    return size_key(name, allowed, member, [least, most](std::uint64_t size) {
        return size >= least && size <= most;
    });
}

template <typename Member>
Key duration_key(std::string_view name,
                 std::string_view allowed,
                 std::chrono::milliseconds least,
                 std::chrono::milliseconds most,
                 Member member) {
    return {name,
            allowed,
            [member, least, most](Settings& settings, const Value& value) {
                const auto* text = std::get_if<std::string>(&value);
                const auto time = text != nullptr ? parse_duration(*text) : std::nullopt;
                if (!time || *time < least || *time > most) return false;
                using Field = std::decay_t<decltype(member(settings))>;
                const auto exact = std::chrono::duration_cast<Field>(*time);
                if (exact != *time) return false;
                member(settings) = exact;
                return true;
            },
            [member](const Settings& settings) {
                return in_quotes(format_duration(member(settings)));
            }};
}

template <typename Enum, std::size_t N, typename Member>
Key choice_key(std::string_view name,
               std::string_view allowed,
               std::array<std::pair<std::string_view, Enum>, N> words,
               Member member) {
    return {name,
            allowed,
            [member, words](Settings& settings, const Value& value) {
                const auto* text = std::get_if<std::string>(&value);
                if (text == nullptr) return false;
                for (const auto& [word, choice] : words) {
                    if (word != *text) continue;
                    member(settings) = choice;
                    return true;
                }
                return false;
            },
            [member, words](const Settings& settings) {
                const auto found = std::find_if(words.begin(), words.end(), [&](const auto& word) {
                    return word.second == member(settings);
                });
                return in_quotes(found->first);
            }};
}

/// One accessor for both the reader (Settings&) and the printer (const Settings&).
#define CFS_FIELD(path)           \
    [](auto& settings) -> auto& { \
        return settings.path;     \
    }

}  // namespace cfs::settings
