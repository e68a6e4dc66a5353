// SPDX-License-Identifier: Apache-2.0
#include "etc/text_diff.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace cfs::etc {
namespace {

constexpr std::ptrdiff_t kContext = 3;
/// Changed lines that are looked for; memory grows with the square.
constexpr std::ptrdiff_t kMaxEdits = 1000;

using Lines = std::vector<std::string_view>;

/// With their ends; the last one may have none.
Lines split_lines(std::string_view text) {
    Lines out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::size_t size = end == std::string_view::npos ? text.size() : end + 1;
        out.push_back(text.substr(0, size));
        text.remove_prefix(size);
    }
    return out;
}

struct Edit {
    char kind;  ///< ' ', '-' or '+'
    std::string_view line;
};

/// The shortest script, after Myers (1986): `reach` holds for each diagonal how far it got.
class Script {
 public:
    Script(const Lines& before, const Lines& after)
        : a_(before),
          b_(after),
          n_(static_cast<std::ptrdiff_t>(before.size())),
          m_(static_cast<std::ptrdiff_t>(after.size())) {}

    std::vector<Edit> edits() {
        if (!search()) return replaced();
        std::vector<Edit> out;
        std::ptrdiff_t x = n_;
        std::ptrdiff_t y = m_;
        for (auto d = static_cast<std::ptrdiff_t>(steps_.size()) - 1; x > 0 || y > 0; --d) {
            const std::ptrdiff_t k = x - y;
            const bool down = d > 0 && goes_down(steps_[index(d)], k, d);
            const std::ptrdiff_t from = d == 0 ? 0 : at(steps_[index(d)], down ? k + 1 : k - 1);
            const std::ptrdiff_t from_y = d == 0 ? 0 : from - (down ? k + 1 : k - 1);
            while (x > from && y > from_y && x > 0 && y > 0 && a_[index(x - 1)] == b_[index(y - 1)])
                out.push_back({' ', a_[index(--x)]}), --y;
            if (d == 0) break;
            if (down) {
                out.push_back({'+', b_[index(--y)]});
            } else {
                out.push_back({'-', a_[index(--x)]});
            }
        }
        std::reverse(out.begin(), out.end());
        return out;
    }

 private:
    using Reach = std::vector<std::ptrdiff_t>;

    static std::size_t index(std::ptrdiff_t i) { return static_cast<std::size_t>(i); }

    /// Diagonals -d..d lie at 0..2d+1, with a border on both sides.
    static std::ptrdiff_t at(const Reach& reach, std::ptrdiff_t k) {
        return reach[index(k + static_cast<std::ptrdiff_t>(reach.size() / 2))];
    }

    static bool goes_down(const Reach& reach, std::ptrdiff_t k, std::ptrdiff_t d) {
        return k == -d || (k != d && at(reach, k - 1) < at(reach, k + 1));
    }

    bool search() {
        const std::ptrdiff_t most = std::min(n_ + m_, kMaxEdits);
        Reach reach(index(2 * most + 3), 0);
        const auto middle = static_cast<std::ptrdiff_t>(reach.size() / 2);
        for (std::ptrdiff_t d = 0; d <= most; ++d) {
            // Only what this step reads: -d-1 .. d+1.
            steps_.emplace_back(reach.begin() + middle - d - 1, reach.begin() + middle + d + 2);
            for (std::ptrdiff_t k = -d; k <= d; k += 2) {
                std::ptrdiff_t x = goes_down(reach, k, d) ? at(reach, k + 1) : at(reach, k - 1) + 1;
                while (x < n_ && x - k < m_ && a_[index(x)] == b_[index(x - k)])
                    ++x;
                reach[index(k + middle)] = x;
                if (x >= n_ && x - k >= m_) return true;
            }
        }
        return false;
    }

    std::vector<Edit> replaced() const {
        std::vector<Edit> out;
        for (const std::string_view line : a_)
            out.push_back({'-', line});
        for (const std::string_view line : b_)
            out.push_back({'+', line});
        return out;
    }

    const Lines& a_;
    const Lines& b_;
    std::ptrdiff_t n_, m_;
    std::vector<Reach> steps_;
};

std::string range(std::ptrdiff_t first, std::ptrdiff_t count) {
    // An empty range is named by the line before it.
    const std::string start = std::to_string(count == 0 ? first : first + 1);
    return count == 1 ? start : start + "," + std::to_string(count);
}

std::string hunk(const std::vector<Edit>& edits,
                 std::ptrdiff_t begin,
                 std::ptrdiff_t end,
                 std::ptrdiff_t old_line,
                 std::ptrdiff_t new_line) {
    std::string body;
    std::ptrdiff_t old_count = 0;
    std::ptrdiff_t new_count = 0;
    for (std::ptrdiff_t i = begin; i < end; ++i) {
        const Edit& edit = edits[static_cast<std::size_t>(i)];
        old_count += edit.kind != '+';
        new_count += edit.kind != '-';
        body += edit.kind + std::string(edit.line);
        if (!edit.line.ends_with('\n')) body += "\n\\ No newline at end of file\n";
    }
    return "@@ -" + range(old_line, old_count) + " +" + range(new_line, new_count) + " @@\n" + body;
}

std::string all_hunks(const std::vector<Edit>& edits) {
    const auto size = static_cast<std::ptrdiff_t>(edits.size());
    std::string out;
    std::ptrdiff_t old_line = 0;
    std::ptrdiff_t new_line = 0;
    std::ptrdiff_t done = 0;
    const auto advance = [&](std::ptrdiff_t to) {
        for (; done < to; ++done) {
            old_line += edits[static_cast<std::size_t>(done)].kind != '+';
            new_line += edits[static_cast<std::size_t>(done)].kind != '-';
        }
    };
    for (std::ptrdiff_t i = 0; i < size; ++i) {
        if (edits[static_cast<std::size_t>(i)].kind == ' ') continue;
        std::ptrdiff_t last = i;
        for (std::ptrdiff_t j = i; j < size && j - last <= 2 * kContext; ++j) {
            if (edits[static_cast<std::size_t>(j)].kind != ' ') last = j;
        }
        const std::ptrdiff_t begin = std::max(done, i - kContext);
        const std::ptrdiff_t end = std::min(size, last + 1 + kContext);
        advance(begin);
        out += hunk(edits, begin, end, old_line, new_line);
        advance(end);
        i = end - 1;
    }
    return out;
}

bool is_binary(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

}  // namespace

std::string unified_diff(const DiffSide& before, const DiffSide& after) {
    if (before.text == after.text) return "";
    if (is_binary(before.text) || is_binary(after.text)) {
        return "Binary files " + before.name + " and " + after.name + " differ\n";
    }
    const Lines old_lines = split_lines(before.text);
    const Lines new_lines = split_lines(after.text);
    return "--- " + before.name + "\n+++ " + after.name + "\n" +
           all_hunks(Script(old_lines, new_lines).edits());
}

}  // namespace cfs::etc
