// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "service/automatic.hpp"
#include "service/bus.hpp"
#include "service/inhibitors.hpp"
#include "service/job_object.hpp"
#include "service/jobs.hpp"
#include "service/log_control.hpp"
#include "service/manager_object.hpp"
#include "service/shutdown_lock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cfs::service {

/// The daemon on the bus: the Manager, its jobs, and the name org.cfsupdate1.
///
/// Main thread only. Order of life: construct, start(), run the io_context; shut_down(), run it
/// until `done`, destroy. What is owed to callers is answered before the name goes.
class Service {
 public:
    struct Config {
        std::string bus = "system";  ///< "system", "session" or an address
        ManagerObject::Facts facts;
        Jobs::Timing timing;
        CallerCheck::Config callers = {};
        Inhibitors::Limits inhibitors = {};
        Automatic::Config automatic = {};
        /// Gets the status at the start and whenever it may have changed; quick, must not throw.
        std::function<void(const update::Status&)> shown = {};
        std::chrono::milliseconds bus_patience{30'000};  ///< see BusPump
    };

    struct Events {
        std::function<void()> ready;  ///< the name is ours, clients can call
        /// The name or the connection is gone, or could not be had. Nothing works any more; call
        /// shut_down().
        std::function<void(const Error& why)> lost;
    };

    /// Connects and puts the objects there, without the name yet.
    /// \throws Unsupported when there is no such bus
    Service(boost::asio::io_context& io, update::Engine& engine, Config config, Events events);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    ~Service();

    void start();

    /// Shows what somebody else changed.
    void look_again();

    /// Since when nobody wanted anything; nothing while a job runs, an inhibitor is held or a call
    /// waits. Clients that only listen want nothing: they hear of the next daemon, too.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> idle_since() const;

    /// Cancels the job that runs and waits for it, in the loop; then gives up the name and calls
    /// `done`. Once.
    void shut_down(std::function<void()> done);

 private:
    [[nodiscard]] Jobs::Hooks hooks();
    void put_down();
    void watch_name();
    void take_name();
    void leave_bus() noexcept;
    [[nodiscard]] ManagerObject::Calls calls();
    [[nodiscard]] Automatic::Calls automatic_calls();
    void refresh();

    Events events_;
    std::function<void(const update::Status&)> shown_;
    std::unique_ptr<sdbus::IConnection> connection_;
    BusPump pump_;
    std::unique_ptr<sdbus::IProxy> bus_daemon_;
    std::map<std::uint64_t, std::unique_ptr<JobObject>> job_objects_;
    std::unique_ptr<ManagerObject> manager_;
    std::unique_ptr<LogControl> log_control_;
    // After what its pending calls use, so that they are answered before that goes.
    std::unique_ptr<CallerCheck> callers_;
    std::unique_ptr<Inhibitors> inhibitors_;
    std::unique_ptr<Restart> restart_;
    std::unique_ptr<Automatic> automatic_;
    std::unique_ptr<ShutdownLock> shutdown_lock_;
    Jobs jobs_;
    bool stopping_ = false;
};

}  // namespace cfs::service
