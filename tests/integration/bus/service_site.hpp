// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fakes/fake_engine.hpp"
#include "service/service.hpp"
#include "support/private_bus.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace cfs::test {

/// A private bus and on it the service, in a thread of this process, with a fake engine.
class ServiceSite {
 public:
    ServiceSite() = default;

    explicit ServiceSite(const std::string& policy_file,
                         const std::vector<std::string>& more_policy_files = {})
        : bus(policy_file, more_policy_files) {}

    ServiceSite(const ServiceSite&) = delete;
    ServiceSite& operator=(const ServiceSite&) = delete;

    ~ServiceSite() {
        door.open();
        stop();
    }

    /// Returns when clients can call it. It may still be putting things in order ("starting").
    void start(service::Jobs::Timing timing = {});

    /// Shuts the service down and waits for that.
    void stop();

    PrivateBus bus;
    FakeEngine engine;
    Door door;  ///< for scripts; open at the end

    // Before start().
    bool finalize_by_default = true;
    service::CallerCheck::Config callers;
    service::Inhibitors::Limits inhibitors;
    service::Automatic::Config automatic;
    std::chrono::milliseconds bus_patience{30'000};

    /// The service said that its bus is gone.
    [[nodiscard]] bool is_lost() const { return lost_; }

 private:
    void run();

    boost::asio::io_context io_{1};
    std::unique_ptr<service::Service> service_;
    std::thread thread_;
    std::optional<Door> ready_;  ///< of this start
    std::atomic<bool> lost_ = false;
};

}  // namespace cfs::test
