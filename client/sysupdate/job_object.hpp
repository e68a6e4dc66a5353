// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bus/caller_check.hpp"
#include "client/model.hpp"

#include <cstdint>
#include <functional>
#include <org.freedesktop.sysupdate1.Job.adaptor.hpp>
#include <string>

namespace cfs::sysupdate {

/// What a job is from its beginning on.
struct JobFacts {
    std::uint64_t id = 0;     ///< the daemon's, and ours
    std::string daemon_path;  ///< of the daemon's object
    std::string type;         ///< "update", "acquire", "install"
    bool offline = false;
    std::string version;
    std::string action;      ///< that starting it needed
    std::uint32_t user = 0;  ///< who started it
};

/// "/org/freedesktop/sysupdate1/job/_7"
[[nodiscard]] std::string job_path(std::uint64_t id);

/// How far a job of the daemon is. Fetching is most of it; what comes after has fixed places.
[[nodiscard]] std::uint32_t percent_of(const client::JobState& state);

/// What JobRemoved says of a job that ended so: 0, a negative errno, or 1. `state` as Ended::state.
[[nodiscard]] std::int32_t status_of(const std::string& state, const std::string& error);

/// One job on the bus. Main thread only.
class JobObject final : public sdbus::AdaptorInterfaces<org::freedesktop::sysupdate1::Job_adaptor> {
 public:
    /// \param cancel may throw Error; answers now or later
    using Cancelled = std::function<void(const std::optional<sdbus::Error>&)>;
    using CancelJob = std::function<void(std::uint64_t id, Cancelled)>;

    JobObject(sdbus::IConnection& connection,
              bus::BusPump& pump,
              bus::CallerCheck& callers,
              JobFacts facts,
              CancelJob cancel);
    ~JobObject();

    [[nodiscard]] const JobFacts& facts() const { return facts_; }

    [[nodiscard]] std::uint32_t percent() const { return percent_; }

    /// Signals it if it is more than before.
    void show(std::uint32_t percent);

 private:
    void Cancel(sdbus::Result<>&& result) override;
    std::uint64_t Id() override;
    std::string Type() override;
    bool Offline() override;
    std::uint32_t Progress() override;

    bus::BusPump& pump_;
    bus::CallerCheck& callers_;
    JobFacts facts_;
    CancelJob cancel_;
    std::uint32_t percent_ = 0;
};

}  // namespace cfs::sysupdate
