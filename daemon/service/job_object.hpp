// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "service/actions.hpp"
#include "service/bus.hpp"
#include "service/job_view.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <org.cfsupdate1.Job.adaptor.hpp>
#include <string>
#include <vector>

namespace cfs::service {

/// One job on the bus. Main thread only; the getters give what the last show() got.
class JobObject final : public sdbus::AdaptorInterfaces<org::cfsupdate1::Job_adaptor> {
 public:
    /// What a client can ask of it. They may throw Error.
    struct Calls {
        std::function<void(std::uint64_t id)> cancel, pause, resume;
    };

    JobObject(sdbus::IConnection& connection,
              BusPump& pump,
              CallerCheck& callers,
              const JobView& view,
              Calls calls);
    ~JobObject();

    /// Signals what changed.
    void show(const JobView& view);

 private:
    void ask(sdbus::Result<>&& result, Action action, std::function<void(std::uint64_t)> call);

    void Cancel(sdbus::Result<>&& result) override;
    void Pause(sdbus::Result<>&& result) override;
    void Resume(sdbus::Result<>&& result) override;
    std::uint64_t Id() override;
    std::string Kind() override;
    std::string State() override;
    std::string Stage() override;
    std::uint64_t BytesDone() override;
    std::uint64_t BytesTotal() override;
    std::uint64_t BytesReused() override;
    std::uint64_t Rate() override;
    std::uint64_t Eta() override;
    sdbus::Struct<std::uint32_t, std::string> Initiator() override;
    std::string Message() override;
    bool Cancellable() override;
    bool Pausable() override;
    std::map<std::string, sdbus::Variant> Error() override;
    std::map<std::string, sdbus::Variant> Result() override;

    BusPump& pump_;
    CallerCheck& callers_;
    JobView view_;
    Calls calls_;
};

}  // namespace cfs::service
