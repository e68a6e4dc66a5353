// SPDX-License-Identifier: Apache-2.0
/// \file What an administrator or an image says about single paths of /etc, before there is a
/// conflict. etc/README.md says what each word does, and why the defaults are what they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::etc {

enum class Policy : std::uint8_t {
    Default,  ///< no rule: the local part stays, and what cannot be told apart is a conflict
    Keep,     ///< where both sides changed something: the local one, no conflict
    Take,     ///< there: the vendor's
    Both,     ///< there: the local one, and the vendor's beside it as NAME.new
    Ignore,   ///< always what is here, and nothing is said about it
    Restore,  ///< always what the new image has: what was changed, made or deleted here is undone
};

/// "keep", "take", ...
[[nodiscard]] std::string_view to_string(Policy policy);

/// Ordered; the last one that fits decides. Value.
class Rules {
 public:
    Rules() = default;

    /// \param lines "WORD PATTERN": PATTERN is a path below /etc (or with "/etc/" before it) and
    /// stands for everything below it too; `*`, `?` and `[...]` match within one name.
    /// \throws InvalidArgs naming the line
    explicit Rules(const std::vector<std::string>& lines);

    /// \param path below /etc, no leading slash. "." has no rule.
    [[nodiscard]] Policy find(std::string_view path) const;

 private:
    struct Rule {
        Policy policy;
        std::string pattern;
        std::size_t names;  ///< that the pattern has
    };

    std::vector<Rule> rules_;
};

}  // namespace cfs::etc
