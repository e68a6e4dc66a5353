// SPDX-License-Identifier: Apache-2.0
/// \file cfsupdated-sysupdate1: systemd's interface org.freedesktop.sysupdate1, for software
/// centers that speak it, over org.cfsupdate1.
///
/// It is a client of the daemon like any other, in a process and a package of its own, and does
/// nothing but translate: it opens no image, no registry, no disk but the file that it writes for
/// software centers, and the one where it remembers what it acquired. To the daemon it is root, so
/// the daemon does not ask who is behind it: whoever calls here is asked about here, by his name on
/// the bus, before the daemon hears of it.
///
/// Layers, top to bottom; each knows those below it:
///
///     main -> Adapter    the connection, both names of objects, the life of the process
///     ManagerObject, TargetObject, JobObject
///                        the wire: reads arguments, bounds them, has polkit asked, answers
///     Host               what a target does: one job at a time, deadlines
///     Checks, Jobs, Acquired
///                        questions to the registry; jobs that run and that ended; what is ours
///     Daemon             org.cfsupdate1 as its client sees it
///     make_plan, know, metadata
///                        pure: versions by name, what a wish comes to, AppStream
///
/// and below those only the libraries bus, base and the client's decoding of dictionaries.
#pragma once

#include "bus/bus_pump.hpp"
#include "bus/caller_check.hpp"
#include "client/sysupdate/acquired.hpp"
#include "client/sysupdate/appstream.hpp"
#include "client/sysupdate/checks.hpp"
#include "client/sysupdate/daemon.hpp"
#include "client/sysupdate/host.hpp"
#include "client/sysupdate/jobs.hpp"
#include "client/sysupdate/manager_object.hpp"
#include "client/sysupdate/target_object.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cfs::sysupdate {

/// Main thread only. Order of life: construct, start(), run the io_context; shut_down(), destroy.
class Adapter {
 public:
    struct Config {
        std::string bus = "system";  ///< "system", "session" or an address
        std::string run_directory;   ///< for the AppStream file, and what was acquired
        OsRelease system;
        bus::CallerCheck::Config callers = {};
        Checks::Timing checks = {};
        Jobs::Timing jobs = {};
        Host::Timing host = {};
        /// So long GetAppStream waits for what the daemon knows.
        std::chrono::milliseconds metadata{500};
    };

    struct Events {
        std::function<void()> ready;  ///< the name is ours
        std::function<void(const Error& why)> lost;
    };

    /// Connects and puts the objects there, without the name yet.
    /// \throws Unsupported when there is no such bus
    Adapter(boost::asio::io_context& io, Config config, Events events);
    Adapter(const Adapter&) = delete;
    Adapter& operator=(const Adapter&) = delete;
    ~Adapter();

    /// Takes the name, and asks what the daemon is like before anybody wants to know.
    void start();

    /// Since when nobody wanted anything; nothing while a job runs or can still be read, or a call
    /// waits.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> idle_since() const;

    /// Tells who follows a job that nobody does any more, and gives up the name. Idempotent.
    void shut_down() noexcept;

 private:
    using Give = std::function<void(const std::vector<std::string>&)>;

    [[nodiscard]] Daemon::Hooks hooks();
    [[nodiscard]] TargetObject::Urls urls();
    void give_urls(Give then);
    [[nodiscard]] std::string metadata_url();
    void write_metadata() noexcept;
    void watch_name();

    boost::asio::io_context& io_;
    Config config_;
    Events events_;
    MetadataFile metadata_;
    std::unique_ptr<sdbus::IConnection> connection_;
    bus::BusPump pump_;
    std::unique_ptr<sdbus::IProxy> bus_daemon_;
    std::unique_ptr<bus::CallerCheck> callers_;
    std::unique_ptr<Daemon> daemon_;
    std::unique_ptr<Acquired> acquired_;
    std::unique_ptr<Checks> checks_;
    std::unique_ptr<Jobs> jobs_;
    std::unique_ptr<Host> host_;
    std::unique_ptr<TargetObject> target_;
    std::unique_ptr<ManagerObject> manager_;
    bool stopping_ = false;
};

}  // namespace cfs::sysupdate
