// SPDX-License-Identifier: Apache-2.0
#include "boot/mount_table.hpp"

#include <algorithm>
#include <optional>

namespace cfs::boot {
namespace {

bool is_octal(char c) {
    return c >= '0' && c <= '7';
}

/// The kernel writes space, tab, newline and backslash as "\040".
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '\\' && i + 3 < text.size() &&
                            std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                        text.begin() + static_cast<std::ptrdiff_t>(i) + 4,
                                        is_octal);
        if (!escape) {
            out += text[i];
            continue;
        }
        const int value = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
        out += static_cast<char>(value);
        i += 3;
    }
    return out;
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> out;
    while (!line.empty()) {
        const auto end = line.find(' ');
        if (end != 0) out.push_back(line.substr(0, end));
        line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    }
    return out;
}

/// "36 35 98:0 /root /path options [optional...] - type source options".
std::optional<MountPoint> parse_line(std::string_view line) {
    constexpr std::ptrdiff_t kFixed = 6;
    const auto words = words_of(line);
    if (words.size() < kFixed + 3) return std::nullopt;
    const auto dash = std::find(words.begin() + kFixed, words.end(), "-");
    if (words.end() - dash < 3 || !words[4].starts_with('/')) return std::nullopt;
    return MountPoint{std::string(words[2]),
                      unescaped(words[3]),
                      unescaped(words[4]),
                      std::string(dash[1]),
                      unescaped(dash[2])};
}

bool contains(std::string_view directory, std::string_view path) {
    if (directory == "/") return true;
    return path.starts_with(directory) &&
           (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

std::vector<MountPoint> parse_mount_table(std::string_view text) {
    std::vector<MountPoint> out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        if (auto mount = parse_line(text.substr(0, end))) out.push_back(std::move(*mount));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

const MountPoint* find_mount(const std::vector<MountPoint>& table, std::string_view path) {
    const auto found = std::find_if(
        table.rbegin(), table.rend(), [&](const auto& mount) { return mount.path == path; });
    return found == table.rend() ? nullptr : &*found;
}

const MountPoint* mount_below(const std::vector<MountPoint>& table, std::string_view path) {
    const MountPoint* best = nullptr;
    for (const MountPoint& mount : table) {
        if (!contains(mount.path, path)) continue;
        if (best == nullptr || mount.path.size() >= best->path.size()) best = &mount;
    }
    return best;
}

}  // namespace cfs::boot
