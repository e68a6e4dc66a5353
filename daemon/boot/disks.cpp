// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "boot/esp_search.hpp"

#include <algorithm>
#include <optional>

namespace cfs::boot {
namespace {

constexpr std::size_t kMaxNumber = 64;
constexpr int kMaxDepth = 16;  // of volumes on RAIDs on encryption on ...
constexpr std::size_t kMaxDisks = 64;

/// The "dev" file of a device's directory in sysfs; empty if there is none.
std::string number_in(const std::string& directory) {
    try {
        std::string text = find_text_at(open_root(directory).get(), "dev", kMaxNumber).value_or("");
        text.erase(std::min(text.size(), text.find('\n')));
        return text;
    } catch (const Error&) {
        return {};
    }
}

/// Empty for what is not there.
std::vector<std::string> names_in(const std::string& directory) {
    try {
        return list_dir(open_root(directory).get());
    } catch (const Error&) {
        return {};
    }
}

bool has(const std::string& directory, const char* name) {
    try {
        return stat_at(open_root(directory).get(), name).has_value();
    } catch (const Error&) {
        return false;
    }
}

void collect(const std::string& sysfs,
             const std::string& number,
             int depth,
             std::vector<std::string>& out) {
    if (number.empty() || depth == kMaxDepth || out.size() == kMaxDisks) return;
    // A link: its parent directory is that of the device itself.
    const std::string here = sysfs + "/dev/block/" + number;
    if (has(here, "partition")) return collect(sysfs, number_in(here + "/.."), depth + 1, out);
    const auto slaves = names_in(here + "/slaves");
    for (const std::string& slave : slaves)
        collect(sysfs, number_in(here + "/slaves/" + slave), depth + 1, out);
    const bool known = std::find(out.begin(), out.end(), number) != out.end();
    if (slaves.empty() && !known && has(here, "dev")) out.push_back(number);
}

}  // namespace

std::vector<std::string> disks_below(const std::string& sysfs, const std::string& number) {
    std::vector<std::string> out;
    collect(sysfs, number, 0, out);
    return out;
}

}  // namespace cfs::boot
