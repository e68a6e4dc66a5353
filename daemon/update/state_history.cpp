// SPDX-License-Identifier: Apache-2.0
// The part of the state that remembers what was done. Appended to, line by line; nothing else than
// a report reads it, so nothing that is wrong with it may stop anything.
#include "base/crash_point.hpp"
#include "base/file_io.hpp"
#include "base/fs_at.hpp"
#include "base/log.hpp"
#include "update/state_dir.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace cfs::update {
namespace {

constexpr const char* kHistory = "history.jsonl";
/// What so many entries never fill: of a file that is longer only the end is looked at.
constexpr std::uint64_t kMaxHistory = std::uint64_t{1} << 20;
constexpr std::size_t kMaxLine = std::size_t{8} << 10;

/// The file's lines without their breaks, oldest first.
struct Lines {
    std::vector<std::string> lines;
    bool torn = false;   ///< the last one has no break
    bool whole = false;  ///< nothing before them was left out
};

Lines split(std::string_view text) {
    Lines out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        out.torn = end == std::string_view::npos;
        out.lines.emplace_back(text.substr(0, end));
        text.remove_prefix(out.torn ? text.size() : end + 1);
    }
    return out;
}

Lines read_lines(int file) {
    const std::uint64_t size = file_size(file);
    const std::uint64_t start = size > kMaxHistory ? size - kMaxHistory : 0;
    Bytes bytes(size - start);
    pread_exact(file, bytes, start);
    Lines out = split(as_text(bytes));
    out.whole = start == 0;
    if (!out.whole && !out.lines.empty()) out.lines.erase(out.lines.begin());
    return out;
}

std::optional<HistoryEntry> parse(const std::string& line) {
    return line.size() > kMaxLine ? std::nullopt : HistoryEntry::from_line(line);
}

HistoryEntry unreadable() {
    HistoryEntry out;
    out.kind = "unreadable";
    out.message =
        "this entry is damaged: the machine stopped while it was written, or its disk "
        "fails";
    return out;
}

/// One write, durable on return. What of it came to the disk when it fails is taken back.
void append(int file, const std::string& text) {
    const std::uint64_t before = file_size(file);
    try {
        write_all(file, as_bytes(text));
        fsync_file(file, kHistory);
    } catch (...) {
        // Else it is a torn line, which the next entry begins behind.
        (void)!::ftruncate(file, static_cast<off_t>(before));
        throw;
    }
}

}  // namespace

void StateDir::add_history(HistoryEntry entry) const noexcept {
    try {
        if (entry.first == 0) entry.first = entry.time;
        write_history(std::move(entry));
    } catch (const std::exception& e) {
        log::warn(std::string("the history lacks an entry: ") + e.what());
    }
}

void StateDir::write_history(HistoryEntry entry) const {
    const bool is_new = !stat_at(fd(), kHistory);
    const UniqueFd file = open_at(fd(), kHistory, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK, 0600);
    Lines old = read_lines(file.get());
    if (old.torn) log::warn("the last entry of the history is cut off: it stays so");
    const auto last = old.lines.empty() ? std::nullopt : parse(old.lines.back());
    const bool again = last && entry.repeats(*last);
    if (again) {
        entry.first = last->first;
        entry.times = last->times + 1;
        old.lines.pop_back();
    }
    if (!again && old.whole && old.lines.size() < kMostHistory) {
        append(file.get(), (old.torn ? "\n" : "") + entry.to_line());
        if (is_new) fsync_dir_at(fd(), ".");
    } else {
        std::string text;
        const std::size_t drop =
            old.lines.size() < kMostHistory ? 0 : old.lines.size() - (kKeptHistory - 1);
        for (std::size_t i = drop; i < old.lines.size(); ++i)
            text += old.lines[i].substr(0, kMaxLine) + "\n";
        put(kHistory, text + entry.to_line());
    }
    crash_point("update.history-written");
}

std::vector<HistoryEntry> StateDir::history() const {
    const auto file = find_at(fd(), kHistory, O_RDONLY | O_NONBLOCK);
    if (!file) return {};
    std::vector<HistoryEntry> out;
    for (const std::string& line : read_lines(file->get()).lines)
        out.push_back(parse(line).value_or(unreadable()));
    if (out.size() > kMostHistory)
        out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(kMostHistory));
    std::reverse(out.begin(), out.end());
    return out;
}

}  // namespace cfs::update
