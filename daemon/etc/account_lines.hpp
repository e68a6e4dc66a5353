// SPDX-License-Identifier: Apache-2.0
/// \file Lines of account files, as values. Private to the component.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::etc {

using Line = std::optional<std::string>;

/// A file's lines by their first field. Blank lines and comments have no key.
struct LineTable {
    explicit LineTable(std::string_view text);

    [[nodiscard]] Line find(const std::string& key) const;

    std::vector<std::string> lines;  ///< without their ends
    std::map<std::string, std::string> by_key;
    std::vector<std::string> keys;  ///< in the order of the file
    bool ambiguous = false;         ///< a key has two lines
};

/// nullopt for a blank line or a comment.
[[nodiscard]] std::optional<std::string> line_key(std::string_view line);

[[nodiscard]] std::vector<std::string> split_text(std::string_view text, char separator);

/// A whole decimal number that fits 32 bits.
[[nodiscard]] std::optional<std::uint32_t> to_number(std::string_view text);

struct LineDecision {
    Line line;
    bool withheld = false;
};

/// The three-way rule for one line. \param lists numbers of the fields that are lists of names
[[nodiscard]] LineDecision merge_line(const Line& pristine,
                                      const Line& current,
                                      const Line& next,
                                      const std::set<std::size_t>& lists);

/// The lines of `current` in their order as `results` has them by key now, then those of
/// `next_keys` that `current` has not.
[[nodiscard]] std::string write_lines(const LineTable& current,
                                      const std::vector<std::string>& next_keys,
                                      const std::function<Line(const std::string&)>& results);

}  // namespace cfs::etc
