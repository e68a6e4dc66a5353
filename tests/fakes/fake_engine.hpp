// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.hpp"
#include "base/stop.hpp"
#include "update/engine.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cfs::test {

/// A door in a script: the job thread stops at it, the test sees that and opens it. Thread-safe.
class Door {
 public:
    /// The job thread's side. \throws Cancelled when stopped while it waits
    void pass(const std::stop_token& stop = {}) {
        std::unique_lock lock(mutex_);
        reached_ = true;
        changed_.notify_all();
        changed_.wait(lock, stop, [this] { return open_; });
        lock.unlock();
        check(stop);
    }

    /// False when nobody came in ten seconds.
    [[nodiscard]] bool wait_until_reached() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return reached_; });
    }

    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

 private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool reached_ = false;
    bool open_ = false;
};

/// An engine that follows a script. Errors given to remember_error() show in the status, as with
/// the real one. set_verb() and set_status() may be called any time; set the other hooks and the
/// results before anything runs. All hooks run on the job thread.
class FakeEngine final : public update::Engine {
 public:
    using Script = std::function<void(update::ProgressSink&, const std::stop_token&)>;

    std::function<void()> on_reconcile = [] {};
    std::function<void()> on_pause = [] {};  ///< before a pause, or its end, is recorded
    std::function<std::uint64_t(std::uint64_t)> on_id = [](std::uint64_t id) { return id; };
    update::CheckResult check_result;
    update::UpdateResult update_result;
    update::DeploymentInfo rollback_result;
    update::CollectResult collect_result;
    update::PinResult pin_result;
    update::CollectResult remove_result;
    update::VerifyResult verify_result;
    update::RepairResult repair_result;
    update::EtcPreview preview_result;
    update::EtcRestored restore_result;
    std::optional<Error> soft_reboot_error;
    std::string soft_reboot_to;

    /// What each verb does from now on.
    void set_verb(Script verb) {
        const std::lock_guard lock(mutex_);
        verb_ = std::move(verb);
    }

    void set_status(update::Status status) {
        const std::lock_guard lock(mutex_);
        status_ = std::move(status);
    }

    /// "update image=x finalize=1 digest=", ...; in order.
    [[nodiscard]] std::vector<std::string> calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

    update::Status status() override {
        const std::lock_guard lock(mutex_);
        return status_;
    }

    void reconcile() override {
        note("reconcile");
        on_reconcile();
    }

    update::CheckResult check(const std::string& image,
                              update::ProgressSink& progress,
                              const std::stop_token& stop) override {
        run("check image=" + image, progress, stop);
        return check_result;
    }

    update::UpdateResult update(const update::UpdateOptions& options,
                                update::ProgressSink& progress,
                                const std::stop_token& stop) override {
        run("update image=" + options.image + " finalize=" + (options.finalize ? "1" : "0") +
                (options.locked ? " locked" : "") + (options.for_anyone ? " for-anyone" : "") +
                (options.downgrade ? " downgrade" : "") + (options.switching ? " switching" : "") +
                " digest=" + options.expected_digest,
            progress,
            stop);
        return update_result;
    }

    update::UpdateResult finalize(update::ProgressSink& progress,
                                  const std::stop_token& stop) override {
        run("finalize", progress, stop);
        return update_result;
    }

    update::DeploymentInfo rollback(update::ProgressSink& progress,
                                    const std::stop_token& stop) override {
        run("rollback", progress, stop);
        return rollback_result;
    }

    update::CollectResult collect(bool dry_run,
                                  update::ProgressSink& progress,
                                  const std::stop_token& stop) override {
        run(dry_run ? "collect dry-run" : "collect", progress, stop);
        return collect_result;
    }

    update::PinResult pin(const update::PinOptions& options,
                          update::ProgressSink& progress,
                          const std::stop_token& stop) override {
        run(std::string(options.pinned ? "pin" : "unpin") + " deployment=" + options.deployment,
            progress,
            stop);
        return pin_result;
    }

    update::CollectResult remove(const std::string& deployment,
                                 update::ProgressSink& progress,
                                 const std::stop_token& stop) override {
        run("remove deployment=" + deployment, progress, stop);
        return remove_result;
    }

    update::VerifyResult verify(const update::VerifyOptions& options,
                                update::ProgressSink& progress,
                                const std::stop_token& stop) override {
        run("verify deployment=" + options.deployment + " full=" + (options.full ? "1" : "0") +
                " rate=" + rate_text(options.rate),
            progress,
            stop);
        return verify_result;
    }

    update::RepairResult repair(const update::RepairOptions& options,
                                update::ProgressSink& progress,
                                const std::stop_token& stop) override {
        run("repair deployment=" + options.deployment + " rate=" + rate_text(options.rate),
            progress,
            stop);
        return repair_result;
    }

    update::EtcPreview preview_etc(const update::EtcPreviewOptions& options,
                                   update::ProgressSink& progress,
                                   const std::stop_token& stop) override {
        run("preview-etc deployment=" + options.deployment + " path=" + options.path +
                " texts=" + (options.texts ? "1" : "0"),
            progress,
            stop);
        return preview_result;
    }

    update::EtcRestored restore_etc(const std::string& path,
                                    update::ProgressSink& progress,
                                    const std::stop_token& stop) override {
        run("restore-etc path=" + path, progress, stop);
        return restore_result;
    }

    void want_soft_reboot(const std::string& image) override {
        const std::lock_guard lock(mutex_);
        if (soft_reboot_error) throw *soft_reboot_error;
        soft_reboot_to = image;
    }

    /// Of the last wish; empty: there is none any more.
    std::string wanted_soft_reboot() {
        const std::lock_guard lock(mutex_);
        return soft_reboot_to;
    }

    void remember_error(const Error* error) override {
        const std::lock_guard lock(mutex_);
        status_.last_error.reset();
        if (error == nullptr) return;
        status_.last_error = update::LastError{std::string(to_string(error->code())),
                                               error->what(),
                                               error->hint(),
                                               error->details(),
                                               1'700'000'000};
    }

    void set_paused_job(const update::PausedJob* job) override {
        on_pause();
        const std::lock_guard lock(mutex_);
        paused_ = job == nullptr ? std::nullopt : std::optional(*job);
    }

    std::optional<update::PausedJob> paused_job() override {
        const std::lock_guard lock(mutex_);
        return paused_;
    }

    std::uint64_t next_job_id() override { return on_id(++last_id_); }

 private:
    static std::string rate_text(const std::optional<std::uint64_t>& rate) {
        return rate ? std::to_string(*rate) : "default";
    }

    void note(const std::string& call) {
        const std::lock_guard lock(mutex_);
        calls_.push_back(call);
    }

    void run(const std::string& call, update::ProgressSink& progress, const std::stop_token& stop) {
        note(call);
        const Script verb = [this] {
            const std::lock_guard lock(mutex_);
            return verb_;
        }();
        verb(progress, stop);
    }

    mutable std::mutex mutex_;
    Script verb_ = [](update::ProgressSink&, const std::stop_token&) {};
    update::Status status_;
    std::vector<std::string> calls_;
    std::optional<update::PausedJob> paused_;
    std::uint64_t last_id_ = 0;
};

}  // namespace cfs::test
