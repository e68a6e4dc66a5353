// SPDX-License-Identifier: Apache-2.0
/// \file Room for a new version where the store and the state directories lie.
#pragma once

#include "store/lock.hpp"
#include "update/pull.hpp"
#include "update/verbs.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>

namespace cfs::update {

/// Bytes that an update takes of the store's file system.
struct DiskNeed {
    std::uint64_t least = 0;  ///< with fewer it does not end well, as far as can be told
    std::uint64_t most = 0;   ///< with so many it does, as far as the image tells
};

/// Made once the image's UKI was judged and is wanted, before its other layers are fetched. What
/// nobody needs goes first, where room may be short. Then deployments that may (evictable()), one
/// by one, oldest first, only when the new one does not fit beside them, and only for an image that
/// was read as a whole and is what its UKI names (Pull::rehearse()): what a registry says of sizes
/// costs nobody a version. Each is dropped in the order of a collection, so a crash leaves it there
/// or gone.
class DiskRoom {
 public:
    /// \param lock the caller's shared one: let go of while something is dropped, and taken again.
    /// The pull's layers that are here stay.
    DiskRoom(Machine& machine,
             Pull& pull,
             const DeploymentRecord& booted,
             std::optional<store::SharedLock>& lock,
             ProgressSink& progress,
             const std::stop_token& stop);

    /// NoSpace when it cannot fit, whatever may be dropped: what is needed, what is free, what
    /// dropping would bring. The same where the state lies on a file system of its own. Drops no
    /// deployment but what a collection would.
    void plan();

    /// As far as it is sure now. \param image of the new one: a kept slot of the same image shares
    /// its /etc with it and stays
    void make(const Digest& image);

    /// It did not fit. Drops one more; false when there is none that may go.
    [[nodiscard]] bool make_more(const Digest& image);

 private:
    void require_state() const;
    [[nodiscard]] DiskNeed need();
    [[nodiscard]] std::uint64_t available();
    void collect();
    [[nodiscard]] std::uint64_t could_bring();
    template <typename F>
    void unlocked(F&& change);

    Machine& machine_;
    Pull& pull_;
    const DeploymentRecord booted_;
    std::optional<store::SharedLock>& lock_;
    ProgressSink& progress_;
    std::stop_token stop_;
    std::uint64_t state_bytes_;  ///< of /etc, however often it is written
    std::uint64_t image_bytes_;
    bool rehearsed_ = false;
};

}  // namespace cfs::update
