// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cfs::client {

/// Rows of text in columns. Cells are plain text, so that their width is known; colour goes on
/// whole rows by the caller.
class Table {
 public:
    /// \param shrinking columns that are shortened first, down to a few characters
    explicit Table(std::vector<std::string> header, std::vector<std::size_t> shrinking = {});

    /// Missing cells are empty. \pre row.size() <= header.size()
    void add(std::vector<std::string> row);

    /// One line per row, header first, two spaces between columns, nothing trailing. When the rows
    /// are wider than `width`, the widest columns are shortened until they fit.
    [[nodiscard]] std::vector<std::string> lines(std::size_t width) const;

 private:
    [[nodiscard]] std::vector<std::size_t> column_widths(std::size_t width) const;

    std::vector<std::vector<std::string>> rows_;
    std::vector<std::size_t> shrinking_;
};

}  // namespace cfs::client
