// SPDX-License-Identifier: Apache-2.0
#include "update/engine.hpp"

#include "base/error.hpp"
#include "base/fs_at.hpp"
#include "update/recorded.hpp"
#include "update/soft_reboot.hpp"
#include "update/verbs.hpp"

#include <chrono>
#include <mutex>

namespace cfs::update {
namespace {

/// Opens the machine anew for each verb: no descriptor and no lock is held while idle, and what an
/// administrator mounted or repaired meanwhile is seen.
class RealEngine final : public Engine {
 private:
    /// The boot's own verbs have it for less.
    static constexpr std::chrono::seconds kPatience{10};

    /// A verb after a crash begins where the crash left off, also when no daemon reconciled in
    /// between.
    template <typename F>
    auto locked(const std::stop_token& stop, F&& verb) {
        Machine machine(settings_, clock_);
        const UniqueFd lock = wait_for_lock(machine.state, kPatience, stop);
        run_reconcile(machine);
        return verb(machine);
    }

    /// The same for a verb that changes something: the history tells of it.
    template <typename F>
    auto changing(const ProgressSink& progress, const std::stop_token& stop, F&& verb) {
        return locked(stop, [&](Machine& machine) {
            return recorded(machine, progress.initiator(), [&] { return verb(machine); });
        });
    }

 public:
    RealEngine(const settings::Settings& settings, const Clock& clock)
        : settings_(settings), clock_(clock) {}

    [[nodiscard]] Status status() override { return read_status(settings_, clock_); }

    void reconcile() override {
        locked({}, [](Machine&) {});
    }

    [[nodiscard]] CheckResult check(const std::string& image,
                                    ProgressSink& progress,
                                    const std::stop_token& stop) override {
        return locked(stop, [&](Machine& machine) {
            return counted_check(machine,
                                 [&] { return run_check(machine, image, progress, stop); });
        });
    }

    [[nodiscard]] UpdateResult update(const UpdateOptions& options,
                                      ProgressSink& progress,
                                      const std::stop_token& stop) override {
        return changing(progress, stop, [&](Machine& machine) {
            return run_update(machine, options, progress, stop);
        });
    }

    [[nodiscard]] UpdateResult finalize(ProgressSink& progress,
                                        const std::stop_token& stop) override {
        return changing(progress, stop, [&](Machine& machine) {
            return run_finalize(machine, progress, stop);
        });
    }

    [[nodiscard]] DeploymentInfo rollback(ProgressSink& progress,
                                          const std::stop_token& stop) override {
        return changing(
            progress, stop, [&](Machine& machine) { return run_rollback(machine, progress); });
    }

    [[nodiscard]] CollectResult collect(bool dry_run,
                                        ProgressSink& progress,
                                        const std::stop_token& stop) override {
        return changing(progress, stop, [&](Machine& machine) {
            return run_collect(machine, dry_run, progress, stop);
        });
    }

    [[nodiscard]] PinResult pin(const PinOptions& options,
                                ProgressSink& progress,
                                const std::stop_token& stop) override {
        return changing(
            progress, stop, [&](Machine& machine) { return run_pin(machine, options); });
    }

    [[nodiscard]] CollectResult remove(const std::string& deployment,
                                       ProgressSink& progress,
                                       const std::stop_token& stop) override {
        return changing(progress, stop, [&](Machine& machine) {
            return run_remove(machine, deployment, progress, stop);
        });
    }

    [[nodiscard]] VerifyResult verify(const VerifyOptions& options,
                                      ProgressSink& progress,
                                      const std::stop_token& stop) override {
        return locked(
            stop, [&](Machine& machine) { return run_verify(machine, options, progress, stop); });
    }

    [[nodiscard]] RepairResult repair(const RepairOptions& options,
                                      ProgressSink& progress,
                                      const std::stop_token& stop) override {
        return changing(progress, stop, [&](Machine& machine) {
            return run_repair(machine, options, progress, stop);
        });
    }

    [[nodiscard]] EtcPreview preview_etc(const EtcPreviewOptions& options,
                                         ProgressSink& progress,
                                         const std::stop_token& stop) override {
        return locked(stop, [&](Machine& machine) {
            return run_preview_etc(machine, options, progress, stop);
        });
    }

    [[nodiscard]] EtcRestored restore_etc(const std::string& path,
                                          ProgressSink& progress,
                                          const std::stop_token& stop) override {
        return locked(
            stop, [&](Machine& machine) { return run_restore_etc(machine, path, progress, stop); });
    }

    void want_soft_reboot(const std::string& image) override {
        update::want_soft_reboot(settings_, image);
    }

    void remember_error(const Error* error) override {
        const StateDir state(open_root(settings_.sysroot).get(), true);
        if (error == nullptr) {
            state.set_last_error(std::nullopt);
            return;
        }
        state.set_last_error(LastError{std::string(to_string(error->code())),
                                       error->what(),
                                       error->hint(),
                                       error->details(),
                                       unix_seconds(clock_)});
    }

    void set_paused_job(const PausedJob* job) override {
        const StateDir state(open_root(settings_.sysroot).get(), true);
        state.set_paused_job(job == nullptr ? std::nullopt : std::optional(*job));
    }

    [[nodiscard]] std::optional<PausedJob> paused_job() override {
        return StateDir(open_root(settings_.sysroot).get(), true).paused_job();
    }

    [[nodiscard]] std::uint64_t next_job_id() override {
        const std::lock_guard guard(id_mutex_);
        const StateDir state(open_root(settings_.sysroot).get(), true);
        return state.next_job_id();
    }

 private:
    const settings::Settings settings_;
    const Clock& clock_;
    std::mutex id_mutex_;
};

}  // namespace

std::unique_ptr<Engine> make_engine(const settings::Settings& settings, const Clock& clock) {
    return std::make_unique<RealEngine>(settings, clock);
}

}  // namespace cfs::update
