// SPDX-License-Identifier: Apache-2.0
#include "client/output/table.hpp"

#include "client/output/human.hpp"

#include <algorithm>
#include <numeric>

namespace cfs::client {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kMinColumn = 4;

}  // namespace

Table::Table(std::vector<std::string> header, std::vector<std::size_t> shrinking)
    : shrinking_(std::move(shrinking)) {
    rows_.push_back(std::move(header));
}

void Table::add(std::vector<std::string> row) {
    row.resize(rows_.front().size());
    rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::column_widths(std::size_t width) const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], columns(row[i]));
        }
    }
    const std::size_t gaps = kGap * (widths.size() - 1);
    const auto fits = [&] { return std::accumulate(widths.begin(), widths.end(), gaps) <= width; };
    const auto shrink = [&](const std::vector<std::size_t>& some) {
        while (!fits()) {
            const auto widest = std::max_element(
                some.begin(), some.end(), [&](auto a, auto b) { return widths[a] < widths[b]; });
            if (widest == some.end() || widths[*widest] <= kMinColumn) return;
            --widths[*widest];
        }
    };
    shrink(shrinking_);
    std::vector<std::size_t> all(widths.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    shrink(all);
    return widths;
}

std::vector<std::string> Table::lines(std::size_t width) const {
    const std::vector<std::size_t> widths = column_widths(width);
    std::vector<std::string> out;
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string cell = shorten(row[i], widths[i]);
            line += cell + std::string(widths[i] - columns(cell) + kGap, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out.push_back(std::move(line));
    }
    return out;
}

}  // namespace cfs::client
