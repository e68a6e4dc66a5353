// SPDX-License-Identifier: Apache-2.0
/// \file What Acquire brought, as opposed to what somebody else staged and locked.
///
/// To the daemon one locked deployment is like another, and it has an administrator asked before
/// one is finalized. Here whoever acquired something may install it; so what counts as acquired is
/// written down by whoever acquired it.
#pragma once

#include "client/sysupdate/daemon.hpp"

#include <memory>
#include <string>

namespace cfs::sysupdate {

/// One deployment at most is staged. Either may be empty.
struct Remembered {
    std::string digest;  ///< of the deployment that was acquired
    std::string job;     ///< of the daemon, path: acquires, and has not ended as far as is known

    [[nodiscard]] bool operator==(const Remembered&) const = default;
};

/// Nothing when there is no such file, or when it is not as we write it: ours alone, and every line
/// known. Never throws.
[[nodiscard]] Remembered read_remembered(const std::string& directory) noexcept;

/// Atomically; a directory that is missing is made. \throws Error
void write_remembered(const std::string& directory, const Remembered& what);

/// The digest of what a job of Stage brought; empty: nothing, or what was there already.
[[nodiscard]] std::string staged_by(const Ended& how);

/// Remembers it in a file, over restarts of the adapter and not over those of the machine, for as
/// long as it is staged and locked without a break. Main thread only.
class Acquired {
 public:
    /// \param directory ours \pre `daemon` outlives this
    Acquired(Daemon& daemon, std::string directory);
    Acquired(const Acquired&) = delete;
    Acquired& operator=(const Acquired&) = delete;
    ~Acquired();

    /// Of the deployment that may be installed; empty: of none.
    [[nodiscard]] const std::string& digest() const { return now_.digest; }

    /// The daemon accepted a job that acquires.
    void accepted(const std::string& job);

    // What the daemon says; of other jobs it is nothing.
    void ended(const std::string& job, const Ended& how);
    void changed();
    void replaced();

 private:
    void look();
    void remember(Remembered what) noexcept;

    Daemon& daemon_;
    std::string directory_;
    Remembered now_;
    bool seen_ = true;       ///< staged and locked, in what the daemon said; false: is to come
    bool inherited_ = true;  ///< now_.job is that of an adapter before
    std::shared_ptr<Acquired*> self_;  ///< what comes later looks whether this is still there
};

}  // namespace cfs::sysupdate
