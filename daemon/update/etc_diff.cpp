// SPDX-License-Identifier: Apache-2.0
#include "update/etc_diff.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "base/stop.hpp"
#include "etc/text_diff.hpp"

#include <sys/stat.h>

#include <optional>

namespace cfs::update {
namespace {

constexpr std::size_t kMaxFile = std::size_t{256} << 10;
constexpr std::size_t kMaxDiff = std::size_t{1} << 20;
constexpr const char* kNothing = "/dev/null";

/// nullopt: nothing there, or nothing that is shown.
std::optional<std::string> text_at(int dir, const std::string& path) {
    std::optional<struct stat> st;
    try {
        st = stat_at(dir, path);
        if (st && S_ISREG(st->st_mode) && static_cast<std::uint64_t>(st->st_size) <= kMaxFile) {
            return find_text_at(dir, path, kMaxFile);
        }
        if (st && S_ISLNK(st->st_mode)) return "-> " + read_link_at(dir, path).value_or("") + "\n";
    } catch (const Error&) {
        // A link where the other side has a directory, or a name that went meanwhile.
    }
    return std::nullopt;
}

}  // namespace

std::string diff_trees(const std::vector<etc::Change>& changes,
                       int before,
                       int after,
                       const std::stop_token& stop) {
    std::string out;
    for (const etc::Change& change : changes) {
        check(stop);
        const auto old_text = text_at(before, change.path);
        const auto new_text = text_at(after, change.path);
        const std::string shown = printable(change.path, 400);
        out += etc::unified_diff(
            {old_text ? "a/etc/" + shown : kNothing, old_text ? std::string_view(*old_text) : ""},
            {new_text ? "b/etc/" + shown : kNothing, new_text ? std::string_view(*new_text) : ""});
        if (out.size() <= kMaxDiff) continue;
        return out + "# more was left out; name a path to see the rest\n";
    }
    return out;
}

}  // namespace cfs::update
