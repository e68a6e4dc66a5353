// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/sysupdate/jobs.hpp"
#include "client/sysupdate/target_object.hpp"

#include <org.freedesktop.sysupdate1.Manager.adaptor.hpp>
#include <string>
#include <vector>

namespace cfs::sysupdate {

/// /org/freedesktop/sysupdate1 on the bus. Nobody is asked for leave: it only tells. Main thread
/// only.
class ManagerObject final
    : public sdbus::AdaptorInterfaces<org::freedesktop::sysupdate1::Manager_adaptor> {
 public:
    /// \pre all outlive this
    ManagerObject(sdbus::IConnection& connection,
                  bus::BusPump& pump,
                  const Jobs& jobs,
                  TargetObject::Urls urls);
    ~ManagerObject();

    void announce_end(const JobFacts& facts, std::int32_t status);

 private:
    using Targets = std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>>;
    using JobList =
        std::vector<sdbus::Struct<std::uint64_t, std::string, std::uint32_t, sdbus::ObjectPath>>;

    void ListTargets(sdbus::Result<Targets>&& result) override;
    void ListJobs(sdbus::Result<JobList>&& result) override;
    void ListAppStream(sdbus::Result<std::vector<std::string>>&& result) override;

    bus::BusPump& pump_;
    const Jobs& jobs_;
    TargetObject::Urls urls_;
};

}  // namespace cfs::sysupdate
