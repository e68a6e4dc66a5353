// SPDX-License-Identifier: Apache-2.0
// cfsupdated with an engine that acts by the name of the image it is given:
//   new       fetches 4 MiB and finalizes
//   steps     the same slowly enough for signals at 5 Hz to show it
//   none      nothing to do
//   slow      fetches without end until it is cancelled
//   again     the same, and when it is asked for once more it comes to its end
//   policy, network, missing    fails so
// and of the image it is configured with: pending waits for a restart, locked for a finalize
//   die       ends the process in the middle
//   shown     as the configured one: what a check finds shows in the status
#include "app/app.hpp"
#include "base/error.hpp"
#include "base/stop.hpp"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace cfs::test {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

class ScriptedEngine final : public update::Engine {
 public:
    explicit ScriptedEngine(std::string image) : image_(std::move(image)) {}

    update::Status status() override {
        update::Status out;
        out.image = image_;
        out.booted = deployment("1", update::DeploymentState::Booted);
        out.deployments = {*out.booted};
        {
            const std::lock_guard lock(mutex_);
            out.available = available_;
        }
        if (image_ == "pending" || image_ == "locked") {
            out.reboot_pending = image_ == "pending";
            out.staged = deployment("2", update::DeploymentState::Staged);
            out.staged->locked = image_ == "locked";
            out.deployments.insert(out.deployments.begin(), *out.staged);
        }
        out.verity = "enforced";
        out.held = {{std::string(128, 'b'), "3", "failed"}};
        out.history = {entry("rollback", "root", 0), entry("update", "user", 1000)};
        return out;
    }

    void reconcile() override {}

    update::CheckResult check(const std::string& image,
                              update::ProgressSink& progress,
                              const std::stop_token&) override {
        progress.stage("check");
        fail_as(image);
        update::CheckResult out;
        out.update_available = image != "none";
        out.available.image = image;
        out.available.version = "2";
        out.available.download_bytes = 4 * kMiB;
        const std::lock_guard lock(mutex_);
        if (image_ == "shown") available_ = out.available;
        return out;
    }

    update::UpdateResult update(const update::UpdateOptions& options,
                                update::ProgressSink& progress,
                                const std::stop_token& stop) override {
        progress.stage("gate");
        fail_as(options.image);
        update::UpdateResult out;
        out.deployment = deployment("2", update::DeploymentState::Armed);
        if (options.image == "none") return out;
        const bool endless =
            options.image == "slow" || (options.image == "again" && ++attempts_ == 1);
        if (options.image != "new") fetch(endless, progress, stop);
        progress.stage("finalize");
        out.outcome =
            options.finalize ? update::UpdateOutcome::Finalized : update::UpdateOutcome::Staged;
        out.deployment.locked = options.locked;
        out.fetched_bytes = 4 * kMiB;
        out.etc_changes = {"/etc/x: taken"};
        return out;
    }

    update::UpdateResult finalize(update::ProgressSink&, const std::stop_token&) override {
        throw Error(ErrorCode::NotFound, "nothing is staged", "update first");
    }

    update::DeploymentInfo rollback(update::ProgressSink& progress,
                                    const std::stop_token&) override {
        progress.stage("rollback");
        return deployment("0", update::DeploymentState::Armed);
    }

    update::CollectResult collect(bool dry_run,
                                  update::ProgressSink& progress,
                                  const std::stop_token&) override {
        progress.stage("collect");
        update::CollectResult out;
        if (dry_run) out.items = {"objects/ab/cd"};
        out.objects = 1;
        out.bytes = 2048;
        return out;
    }

    update::PinResult pin(const update::PinOptions& options,
                          update::ProgressSink&,
                          const std::stop_token&) override {
        fail_as(options.deployment);
        update::PinResult out{options.deployment != "none",
                              deployment("1", update::DeploymentState::Kept)};
        out.deployment.pinned = options.pinned;
        return out;
    }

    update::CollectResult remove(const std::string& name,
                                 update::ProgressSink& progress,
                                 const std::stop_token&) override {
        progress.stage("remove");
        fail_as(name);
        update::CollectResult out;
        out.deployments = {name + " (os_" + name + ")"};
        out.objects = 1;
        out.bytes = 2048;
        return out;
    }

    update::VerifyResult verify(const update::VerifyOptions& options,
                                update::ProgressSink& progress,
                                const std::stop_token&) override {
        progress.stage("verify");
        fail_as(options.deployment);
        update::VerifyResult out;
        out.full = options.full;
        out.deployments = {"1 (os_1)"};
        out.objects = 3;
        out.bytes = options.rate.value_or(2048);
        if (options.full) {
            out.damaged = 1;
            out.items = {"object ab: its content hashes to cd (version 1, /usr/bin/x)"};
        }
        return out;
    }

    update::RepairResult repair(const update::RepairOptions& options,
                                update::ProgressSink& progress,
                                const std::stop_token&) override {
        progress.stage("verify");
        fail_as(options.deployment);
        update::RepairResult out;
        out.found.objects = 3;
        if (options.deployment == "none") return out;
        out.found.damaged = 1;
        out.found.items = {"object ab: its content hashes to cd (version 1, /usr/bin/x)"};
        out.repaired = 1;
        out.layers = 1;
        out.fetched_bytes = 4 * kMiB;
        return out;
    }

    update::EtcPreview preview_etc(const update::EtcPreviewOptions& options,
                                   update::ProgressSink& progress,
                                   const std::stop_token&) override {
        progress.stage("preview");
        fail_as(options.deployment);
        update::EtcPreview out;
        out.deployment = "2 (os_2)";
        out.local_only = options.deployment == "booted";
        if (options.path == "untouched") return out;
        out.changes = {
            {"ssh/sshd_config", etc::ChangeKind::KeptLocal, "local: content", true, false}};
        if (!out.local_only) {
            out.conflicts = {{"d",
                              etc::ConflictKind::Shape,
                              "a file made here",
                              "the local one stays",
                              "move it"}};
        }
        if (options.texts) out.diff = "--- a/etc/ssh/sshd_config\n+++ b/etc/ssh/sshd_config\n";
        return out;
    }

    update::EtcRestored restore_etc(const std::string& path,
                                    update::ProgressSink& progress,
                                    const std::stop_token&) override {
        progress.stage("restore");
        fail_as(path);
        return {path != "untouched", path, path != "untouched" ? "kept-local" : ""};
    }

    void want_soft_reboot(const std::string&) override {}

    void remember_error(const Error*) override {}

    void set_paused_job(const update::PausedJob* job) override {
        const std::lock_guard lock(mutex_);
        paused_ = job == nullptr ? std::nullopt : std::optional(*job);
    }

    std::optional<update::PausedJob> paused_job() override {
        const std::lock_guard lock(mutex_);
        return paused_;
    }

    std::uint64_t next_job_id() override { return ++last_id_; }

 private:
    static update::HistoryEntry entry(const std::string& kind,
                                      const std::string& by,
                                      std::uint32_t uid) {
        update::HistoryEntry out;
        out.kind = kind;
        out.result = "done";
        out.time = 1'700'000'000;
        out.from = {"1", "aa"};
        out.to = {"2", "bb"};
        out.fetched = 4 * kMiB;
        out.initiator = {by, uid};
        return out;
    }

    static update::DeploymentInfo deployment(const std::string& version,
                                             update::DeploymentState state) {
        update::DeploymentInfo out;
        out.digest = std::string(128, 'a');
        out.version = version;
        out.uki = "os_" + version + ".efi";
        out.state = state;
        return out;
    }

    static void fail_as(const std::string& image) {
        if (image == "die") ::_exit(9);
        if (image == "policy") throw Error(ErrorCode::DowngradeRejected, "version 0 is older", "x");
        if (image == "network")
            throw Error(ErrorCode::Network, "no route to it", "check the cable");
        if (image == "missing") throw Error(ErrorCode::NotFound, "no such tag", "look at the tags");
    }

    void fetch(bool endless, update::ProgressSink& progress, const std::stop_token& stop) {
        progress.stage("fetch");
        std::unique_lock lock(mutex_);
        for (std::uint64_t done = 0; endless || done <= 4 * kMiB; done += kMiB / 4) {
            progress.bytes(endless ? kMiB : done, 4 * kMiB, kMiB);
            wake_.wait_for(lock, stop, std::chrono::milliseconds(40), [] { return false; });
            cfs::check(stop);
        }
    }

    std::string image_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::optional<update::PausedJob> paused_;
    std::optional<update::Available> available_;
    int attempts_ = 0;
    std::uint64_t last_id_ = 0;
};

}  // namespace
}  // namespace cfs::test

int main(int argc, char** argv) {
    return cfs::app::run(argc, argv, [](const cfs::settings::Settings& settings) {
        return std::make_unique<cfs::test::ScriptedEngine>(settings.image);
    });
}
