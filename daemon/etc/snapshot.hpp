// SPDX-License-Identifier: Apache-2.0
/// \file Notices that a tree changed between two moments, by the stat data of every entry: a plan
/// is only as good as the tree it was made from.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

namespace cfs::etc {

/// Every path with the stat data that any change of it also changes, in the order of the walk.
/// Special files count by type alone: their times move whenever somebody talks through them.
struct Snapshot {
    struct Seen {
        std::string path;
        std::string state;

        bool operator==(const Seen&) const = default;
    };

    std::vector<Seen> entries;
};

[[nodiscard]] Snapshot take_snapshot(int directory, const std::stop_token& stop);

/// Throws Busy with the first path that is new, gone or different.
void require_unchanged(const Snapshot& before, int directory, const std::stop_token& stop);

}  // namespace cfs::etc
