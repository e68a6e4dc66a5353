// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"
#include "dbus/bus_compat.hpp"

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cfs::test {

/// One signal as a client hears it.
struct Heard {
    std::chrono::steady_clock::time_point when;
    std::string path;
    std::string member;
    bus::VariantMap changed;  ///< PropertiesChanged: its values; JobRemoved: the result
    std::string state;        ///< JobRemoved
};

/// A client with a connection of its own that writes down every signal of the service.
class BusClient {
 public:
    explicit BusClient(const std::string& address);

    /// The same, but to the bus and the service it is this user who calls. Needs root.
    BusClient(const std::string& address, uid_t user);
    BusClient(const BusClient&) = delete;
    BusClient& operator=(const BusClient&) = delete;
    ~BusClient();

    /// Calls a Manager method that starts a job. \throws sdbus::Error
    std::string start(const std::string& method, const bus::VariantMap& options = {});

    /// Takes an inhibitor. \throws sdbus::Error
    UniqueFd inhibit(const bus::VariantMap& options);

    /// A call without arguments, whatever the method takes. "ok", or the error's name and text.
    std::string call_bare(const std::string& path,
                          const std::string& interface,
                          const std::string& method);

    /// The same for a Manager method, with options.
    std::string call_with_options(const std::string& method, const bus::VariantMap& options = {});

    /// What History returns. \throws sdbus::Error
    std::vector<bus::VariantMap> history(const bus::VariantMap& options);

    /// Its unique name.
    [[nodiscard]] std::string name() const { return std::string(connection_->getUniqueName()); }

    /// Asks the bus for a name. \throws sdbus::Error
    void take_name(const std::string& name);

    /// A Job's Cancel. \throws sdbus::Error
    void cancel(const std::string& job);
    void cancel_active();

    bus::VariantMap properties(const std::string& path, const std::string& interface);

    bus::VariantMap job(const std::string& path) { return properties(path, bus::kJobInterface); }

    bus::VariantMap manager() { return properties(bus::kManagerPath, bus::kManagerInterface); }

    std::string introspect(const std::string& path);

    /// The first signal that fits; nullopt when none came in ten seconds.
    std::optional<Heard> wait_for(const std::function<bool(const Heard&)>& fits);

    /// Waits until `job` ended and returns its JobRemoved.
    Heard wait_for_end(const std::string& job);

    std::vector<Heard> heard() const;

 private:
    explicit BusClient(std::unique_ptr<sdbus::IConnection> connection);
    void hear(sdbus::Message& message);
    std::unique_ptr<sdbus::IProxy> proxy(const std::string& path);

    std::unique_ptr<sdbus::IConnection> connection_;
    sdbus::Slot match_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Heard> heard_;
};

/// A value of the map; when it has none, a default one.
template <typename T>
T value(const bus::VariantMap& map, const std::string& key) {
    const auto found = map.find(key);
    return found == map.end() ? T{} : found->second.get<T>();
}

}  // namespace cfs::test
