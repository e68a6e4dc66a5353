// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace cfs::image {

/// What an expression that is matched against whole paths starts with, and what follows.
struct RegexForm {
    enum class Rest {
        Nothing,   ///< the prefix is all: one path
        Subtree,   ///< "(/.*)?": the prefix and everything below it
        Anything,  ///< ".*": everything that starts with the prefix
        Regex,     ///< something else, to be matched by a regex engine
    };

    std::string prefix;    ///< every path that matches starts with it
    std::string required;  ///< the longest text behind the prefix that every match contains
    Rest rest = Rest::Regex;
};

/// Conservative: when in doubt the texts are shorter and the rest is Regex. '.' must mean any byte.
[[nodiscard]] RegexForm regex_form(std::string_view expression);

}  // namespace cfs::image
