// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spawn.h>

namespace cfs {

/// Whose process group a child joins.
enum class ChildGroup {
    Ours,  ///< a terminal's interrupt reaches it too
    Own,   ///< to kill it with all that it started
};

/// How helper programs are started: no input, both outputs into one descriptor, no blocked signal,
/// and SIGPIPE as it is by default. A value for one posix_spawn().
class SpawnSetup {
 public:
    /// \param output must stay open until the program runs
    SpawnSetup(int output, ChildGroup group);
    SpawnSetup(const SpawnSetup&) = delete;
    SpawnSetup& operator=(const SpawnSetup&) = delete;
    ~SpawnSetup();

    [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }

    [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace cfs
