// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bus/caller_check.hpp"
#include "client/sysupdate/host.hpp"

#include <functional>
#include <memory>
#include <org.freedesktop.sysupdate1.Target.adaptor.hpp>
#include <string>
#include <vector>

namespace cfs::sysupdate {

/// The target "host" on the bus: reads what callers send, has polkit asked about them, and answers.
/// Callers are hostile: what they send is short, or refused before anything else. Main thread only.
class TargetObject final
    : public sdbus::AdaptorInterfaces<org::freedesktop::sysupdate1::Target_adaptor> {
 public:
    /// Gives the addresses of the AppStream metadata, now or later; must not throw.
    using Urls = std::function<void(std::function<void(const std::vector<std::string>&)>)>;

    /// \pre all outlive every call that `callers` still looks into
    TargetObject(sdbus::IConnection& connection,
                 bus::BusPump& pump,
                 bus::CallerCheck& callers,
                 Host& host,
                 Urls urls);
    ~TargetObject();

 private:
    using Strings = std::vector<std::string>;
    using JobResult = sdbus::Result<std::string, std::uint64_t, sdbus::ObjectPath>;

    void start(Verb verb, JobResult&& result, std::string version, std::uint64_t flags);

    void List(sdbus::Result<Strings>&& result, std::uint64_t flags) override;
    void Describe(sdbus::Result<std::string>&& result,
                  std::string version,
                  std::uint64_t flags) override;
    void CheckNew(sdbus::Result<std::string>&& result) override;
    void Update(JobResult&& result, std::string version, std::uint64_t flags) override;
    void Acquire(JobResult&& result, std::string version, std::uint64_t flags) override;
    void Install(JobResult&& result, std::string version, std::uint64_t flags) override;
    void Vacuum(sdbus::Result<std::uint32_t, std::uint32_t>&& result) override;
    void GetAppStream(sdbus::Result<Strings>&& result) override;
    void GetVersion(sdbus::Result<std::string>&& result) override;
    void ListFeatures(sdbus::Result<Strings>&& result, std::uint64_t flags) override;
    void DescribeFeature(sdbus::Result<std::string>&& result,
                         std::string feature,
                         std::uint64_t flags) override;
    void SetFeatureEnabled(sdbus::Result<>&& result,
                           std::string feature,
                           std::int32_t enabled,
                           std::uint64_t flags) override;
    std::string Class() override;
    std::string Name() override;
    std::string Path() override;

    bus::BusPump& pump_;
    bus::CallerCheck& callers_;
    Host& host_;
    Urls urls_;
};

}  // namespace cfs::sysupdate
