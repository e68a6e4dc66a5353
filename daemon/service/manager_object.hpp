// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/unique_fd.hpp"
#include "service/bus.hpp"
#include "service/job_view.hpp"
#include "service/manager_view.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <org.cfsupdate1.Manager.adaptor.hpp>
#include <string>
#include <variant>
#include <vector>

namespace cfs::service {

/// /org/cfsupdate1 on the bus. Main thread only; the getters give what the last show() got.
class ManagerObject final : public sdbus::AdaptorInterfaces<org::cfsupdate1::Manager_adaptor> {
 public:
    struct Facts {
        std::string version;
        bool finalize_by_default = true;  ///< setting update.auto_finalize
    };

    struct Calls {
        /// Answers with the job's id or why there is none, now or later; 0 for none that is needed.
        std::function<void(const JobRequest&,
                           const Initiator&,
                           std::function<void(const std::variant<Error, std::uint64_t>&)>)>
            submit;
        /// Nothing for a job that ended.
        std::function<void(std::uint64_t id)> cancel;
        /// May throw Error.
        std::function<UniqueFd(const InhibitWish&, const Initiator&)> inhibit;
        /// Answers now or later; may throw Error.
        std::function<void(const bus::VariantMap&,
                           std::function<void(const std::optional<Error>&)>)>
            set_policy;
        /// Answers later; may throw Error.
        std::function<void(std::function<void(const std::optional<Error>&)>)> soft_reboot;
        /// The job that waits or runs, or else the paused one; or nullptr.
        std::function<const JobView*()> current;
        std::function<const std::vector<update::HistoryEntry>&()> history;  ///< newest first
    };

    /// \pre this outlives every call that `callers` still looks into
    ManagerObject(sdbus::IConnection& connection,
                  BusPump& pump,
                  CallerCheck& callers,
                  Facts facts,
                  Calls calls);
    ~ManagerObject();

    /// Signals what changed.
    void show(ManagerView view);

    void announce(const JobView& job);

    /// `job` ended.
    void announce_end(const JobView& job);

 private:
    using JobResult = sdbus::Result<sdbus::ObjectPath>;
    using Options = std::map<std::string, sdbus::Variant>;

    void submit(JobKind kind, JobResult&& result, const Options& options);

    void Check(JobResult&& result, Options options) override;
    void Update(JobResult&& result, Options options) override;
    void Stage(JobResult&& result, Options options) override;
    void Switch(JobResult&& result, Options options) override;
    void Finalize(JobResult&& result, Options options) override;
    void Rollback(JobResult&& result, Options options) override;
    void Collect(JobResult&& result, Options options) override;
    void Pin(JobResult&& result, Options options) override;
    void Remove(JobResult&& result, Options options) override;
    void Verify(JobResult&& result, Options options) override;
    void Repair(JobResult&& result, Options options) override;
    void PreviewEtc(JobResult&& result, Options options) override;
    void RestoreEtc(JobResult&& result, Options options) override;
    void History(sdbus::Result<std::vector<Options>>&& result, Options options) override;
    void Cancel(sdbus::Result<>&& result, Options options) override;
    void SetPolicy(sdbus::Result<>&& result, Options options) override;
    void SoftReboot(sdbus::Result<>&& result, Options options) override;
    void Inhibit(sdbus::Result<sdbus::UnixFd>&& result, Options options) override;
    std::string Version() override;
    std::string Image() override;
    std::string State() override;
    Options Booted() override;
    Options Staged() override;
    Options Rollback() override;
    std::vector<Options> Deployments() override;
    Options Fallback() override;
    std::vector<Options> Held() override;
    Options Available() override;
    Options LastError() override;
    bool RebootPending() override;
    std::string SoftRebootProblem() override;
    std::string Verity() override;
    std::vector<std::string> Warnings() override;
    std::vector<sdbus::Struct<std::string, std::string>> Blockers() override;
    Options Policy() override;
    std::vector<sdbus::ObjectPath> Jobs() override;

    BusPump& pump_;
    CallerCheck& callers_;
    Facts facts_;
    Calls calls_;
    ManagerView view_;
};

}  // namespace cfs::service
