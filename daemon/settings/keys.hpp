// SPDX-License-Identifier: Apache-2.0
/// \file The one table of configuration keys: name, member, what is allowed. The reader, the
/// printer and the manual page's test all go by it.
#pragma once

#include "settings/settings.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cfs::settings {

/// A value of a kind that no key takes: "table", "date", "floating-point number", ...
struct OtherValue {
    std::string kind;
};

/// A value as the file has it, free of the TOML library's types.
using Value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>, OtherValue>;

struct Key {
    std::string_view name;     ///< "store.verity": table and key
    std::string_view allowed;  ///< for people: what may be written
    /// False, with the settings unchanged, when the value is not allowed.
    std::function<bool(Settings&, const Value&)> set;
    std::function<std::string(const Settings&)> show;  ///< as TOML
};

/// In the order in which they are printed: keys of one table stand together.
[[nodiscard]] const std::vector<Key>& keys();

/// nullptr: unknown.
[[nodiscard]] const Key* find_key(std::string_view name);

/// For messages: the value as TOML, cut when it is long.
[[nodiscard]] std::string describe(const Value& value);

/// ["a", "b"]
[[nodiscard]] std::string list_in_quotes(const std::vector<std::string>& items);

}  // namespace cfs::settings
