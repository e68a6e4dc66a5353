// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"
#include "service/bus.hpp"
#include "service/job_view.hpp"

#include <functional>
#include <memory>
#include <string>

namespace cfs::service {

/// What logind is asked for while a job runs: that a shutdown waits a moment (a delay lock), so
/// that what is fetched is put down in order, or that there is none (a block lock), while /etc is
/// merged and the new version armed. Nothing depends on it: a machine that goes down all the same
/// has the old or the new version. Main thread only; nothing waits, so a lock may come a moment
/// after what it is for has begun. logind drops it when we are gone.
class ShutdownLock {
 public:
    enum class Mode { None, Delay, Block };

    /// \param going_down logind prepares for a shutdown and waits for the delay lock; from the
    /// loop; must not throw \pre `connection` and `pump` outlive this
    ShutdownLock(sdbus::IConnection& connection, BusPump& pump, std::function<void()> going_down);
    ShutdownLock(const ShutdownLock&) = delete;
    ShutdownLock& operator=(const ShutdownLock&) = delete;
    ~ShutdownLock();

    /// Never throws: without logind there is no lock.
    void want(Mode mode) noexcept;

 private:
    void ask();
    void taken(Mode mode, bus::Answer& answer);
    void look();

    sdbus::IConnection& connection_;
    BusPump& pump_;
    std::function<void()> going_down_;
    Mode wanted_ = Mode::None;
    UniqueFd lock_;
    sdbus::Slot signal_ = {};
    std::unique_ptr<sdbus::IProxy> login_;  // last: its pending replies refer to the rest
};

/// The lock that a job needs now.
[[nodiscard]] ShutdownLock::Mode lock_for(const JobView& job);

}  // namespace cfs::service
