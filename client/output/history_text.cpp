// SPDX-License-Identifier: Apache-2.0
#include "client/output/history_text.hpp"

#include "client/output/human.hpp"
#include "client/output/table.hpp"
#include "client/output/terminal.hpp"

#include <algorithm>

namespace cfs::client {
namespace {

constexpr std::uint64_t kMillisecond = 1000;
constexpr std::size_t kIndent = 4;

std::string took(const HistoryEntry& entry) {
    return entry.duration_ms == 0 ? "" : human_duration(entry.duration_ms / kMillisecond);
}

std::string initiator(const HistoryEntry& entry) {
    return entry.initiator == "user" ? "uid " + std::to_string(entry.uid) : entry.initiator;
}

std::string when(const HistoryEntry& entry) {
    return entry.time == 0 ? "" : human_time(entry.time);
}

std::string paint_row(const std::string& row, const HistoryEntry& entry, bool color) {
    if (entry.result == "failed" || entry.kind == "fallback" || entry.kind == "unreadable")
        return paint(row, Color::Red, color);
    return entry.result == "interrupted" ? paint(row, Color::Yellow, color) : row;
}

/// Why it failed or what became of it, how often, what it cost: below its row.
std::string remark(const HistoryEntry& entry) {
    std::string text;
    const auto add = [&text](const std::string& part) {
        if (!part.empty()) text += (text.empty() ? "" : "; ") + part;
    };
    add((entry.error.empty() ? "" : entry.error + ": ") + entry.message);
    if (entry.times > 1)
        add(std::to_string(entry.times) + " times since " + human_time(entry.first));
    if (entry.fetched_bytes > 0)
        add(human_bytes(entry.fetched_bytes) + " fetched, " + human_bytes(entry.reused_bytes) +
            " here already");
    return text;
}

std::string remark_lines(const HistoryEntry& entry, std::size_t width) {
    std::string out;
    for (const std::string& part : wrap(remark(entry), std::max(width, 2 * kIndent) - kIndent))
        out += std::string(kIndent, ' ') + part + "\n";
    return out;
}

}  // namespace

std::string history_text(const std::vector<HistoryEntry>& entries, std::size_t width, bool color) {
    if (entries.empty()) return "nothing was done yet\n";
    Table table({"WHEN", "WHAT", "FROM", "TO", "RESULT", "TOOK", "BY"}, {2, 3});
    for (const HistoryEntry& entry : entries) {
        table.add({when(entry),
                   entry.kind,
                   entry.from.version,
                   entry.to.version,
                   entry.result,
                   took(entry),
                   initiator(entry)});
    }
    const std::vector<std::string> lines = table.lines(width);
    std::string out = paint(lines.front(), Color::Bold, color) + "\n";
    for (std::size_t i = 1; i < lines.size(); ++i) {
        out += paint_row(lines[i], entries[i - 1], color) + "\n";
        out += remark_lines(entries[i - 1], width);
    }
    return out;
}

}  // namespace cfs::client
