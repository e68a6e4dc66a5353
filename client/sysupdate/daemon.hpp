// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bus/bus_pump.hpp"
#include "client/model.hpp"
#include "dbus/bus_compat.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cfs::sysupdate {

/// How a job of the daemon ended, or a call of ours.
struct Ended {
    std::string state;  ///< "done", "failed", "cancelled"; "lost": the daemon went away meanwhile
    bus::VariantMap result;  ///< of "done"
    client::Failure failure;
};

/// org.cfsupdate1, as its client: what it is like, kept up to date by its signals, and its jobs.
/// Calls start it where it does not run. Nothing waits. Main thread only.
///
/// What it said counts for as long as it is on the bus: one that ends, because nobody wanted
/// anything, is asked again by whoever wants to know next.
class Daemon {
 public:
    /// Called from the loop; must not throw.
    struct Hooks {
        std::function<void()> changed;  ///< status() did
        /// Properties of any job that changed.
        std::function<void(const std::string& job, const bus::VariantMap& changed)> progress;
        std::function<void(const std::string& job, const Ended& ended)> ended;  ///< any job
        /// It left the bus, or another one came: whoever follows jobs looks at them again.
        std::function<void()> replaced;
    };

    /// \pre all three outlive this
    Daemon(boost::asio::io_context& io,
           sdbus::IConnection& connection,
           bus::BusPump& pump,
           Hooks hooks);
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    ~Daemon();

    /// nullptr while it is not known.
    [[nodiscard]] const client::Status* status() const { return status_ ? &*status_ : nullptr; }

    /// Calls `then` when it is known, now or later, or with why it cannot be. So many can wait,
    /// 512; further ones get LimitsExceeded.
    using Knows = std::function<void(const std::optional<sdbus::Error>& failed)>;
    void know(Knows then);

    /// Calls a Manager method that starts a job; `then` gets its path or why there is none.
    using Started = std::function<void(const std::variant<sdbus::Error, std::string>&)>;
    void start(const std::string& method, const bus::VariantMap& options, Started then);

    /// Job.Cancel; nullopt: it was heeded.
    using Done = std::function<void(const std::optional<sdbus::Error>& failed)>;
    void cancel(const std::string& job, Done then);

    /// All of a job's properties; `ended` is set for one that has. nullopt: there is no such job,
    /// as a daemon `answered`; or there is no daemon, which is not started for it, or none that
    /// answers.
    struct Look {
        client::JobState state;
        std::optional<Ended> ended;
    };

    using Looked = std::function<void(const std::optional<Look>&, bool answered)>;
    void look_at(const std::string& job, Looked then);

    [[nodiscard]] bool is_asked() const { return !waiting_.empty() || calls_ != 0; }

 private:
    using Answered = std::function<void(bus::Answer)>;

    void listen();
    void ask();
    void take(bus::VariantMap properties);
    void merge(const bus::VariantMap& changed);
    void answer_all(const std::optional<sdbus::Error>& failed);
    void hear_job(sdbus::Message& message);
    void owner_changed();
    void call(sdbus::IProxy& proxy, const sdbus::MethodCall& message, Answered then);
    [[nodiscard]] std::unique_ptr<sdbus::IProxy> proxy(const std::string& path);
    [[nodiscard]] std::uint64_t make_object(const std::string& job);
    void drop_object(std::uint64_t number);

    boost::asio::io_context& io_;
    sdbus::IConnection& connection_;
    bus::BusPump& pump_;
    Hooks hooks_;
    bus::VariantMap properties_;
    std::optional<client::Status> status_;
    std::vector<Knows> waiting_;
    std::size_t calls_ = 0;
    std::uint64_t last_question_ = 0;
    int attempts_ = 0;
    std::shared_ptr<Daemon*> self_;  ///< what comes later looks whether this is still there
    std::unique_ptr<sdbus::IProxy> manager_;
    std::map<std::uint64_t, std::unique_ptr<sdbus::IProxy>> objects_;
    std::uint64_t last_object_ = 0;
    sdbus::Slot jobs_;
    sdbus::Slot owner_;
};

}  // namespace cfs::sysupdate
