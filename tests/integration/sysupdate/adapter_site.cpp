// SPDX-License-Identifier: Apache-2.0
#include "adapter_site.hpp"

#include <signal.h>

#include <utility>

namespace cfs::test {
namespace {

constexpr std::uint64_t kBytes = 4 << 20;

update::DeploymentInfo deployment(const std::string& version, update::DeploymentState state) {
    update::DeploymentInfo out;
    out.digest = std::string(120, 'a') + version;
    out.manifest_digest = "sha256:" + std::string(60, 'b') + version;
    out.version = version;
    out.title = "Test OS " + version;
    out.state = state;
    out.installed = 1'700'000'000;
    return out;
}

}  // namespace

AdapterSite::AdapterSite() {
    show();
    service.engine.set_verb([this](update::ProgressSink& progress, const std::stop_token& stop) {
        play(progress, stop);
    });
}

AdapterSite::AdapterSite(const std::vector<std::string>& policy_files)
    : service(policy_files.front(), {policy_files.begin() + 1, policy_files.end()}) {
    show();
    service.engine.set_verb([this](update::ProgressSink& progress, const std::stop_token& stop) {
        play(progress, stop);
    });
}

void AdapterSite::start_adapter(const std::vector<std::string>& options) {
    std::vector<std::string> argv{
        CFS_ADAPTER, "--bus", address(), "--run", dir_ / "run", "--log-level", "debug"};
    argv.insert(argv.end(), options.begin(), options.end());
    adapter_ = std::make_unique<Child>(argv);
    if (!adapter_->wait_for_err("is ready"))
        throw Error(ErrorCode::Internal, "the adapter did not start: " + adapter_->finish().err);
}

Ended AdapterSite::stop_adapter() {
    adapter_->signal(SIGTERM);
    return adapter_->finish();
}

void AdapterSite::publish(const std::string& version, const std::string& changelog) {
    const std::lock_guard lock(mutex_);
    published_ = version;
    changelog_ = changelog;
}

void AdapterSite::set_update(FakeEngine::Script before, FakeEngine::Script halfway) {
    const std::lock_guard lock(mutex_);
    before_ = std::move(before);
    halfway_ = std::move(halfway);
}

void AdapterSite::set_check(FakeEngine::Script check) {
    const std::lock_guard lock(mutex_);
    check_ = std::move(check);
}

void AdapterSite::show() {
    if (!status_.booted) status_.booted = deployment("1", update::DeploymentState::Booted);
    status_.deployments = {*status_.booted};
    if (status_.staged) status_.deployments.insert(status_.deployments.begin(), *status_.staged);
    service.engine.set_status(status_);
}

void AdapterSite::check() {
    const std::lock_guard lock(mutex_);
    const std::string here = status_.staged ? status_.staged->version : status_.booted->version;
    const bool is_new = !published_.empty() && published_ != here;
    update::Available found;
    found.image = "oci:/images:stable";
    found.version = published_.empty() ? here : published_;
    found.manifest_digest = deployment(found.version, {}).manifest_digest;
    found.digest = deployment(found.version, {}).digest;
    found.checked = 1'700'000'100;
    if (!changelog_.empty()) found.annotations["org.cfsupdate1.changelog"] = changelog_;
    service.engine.check_result = {is_new, found};
    status_.available = is_new ? std::optional(found) : std::nullopt;
    show();
}

void AdapterSite::fetch(update::ProgressSink& progress, const std::stop_token& stop) {
    const auto scripts = [this] {
        const std::lock_guard lock(mutex_);
        return std::pair(before_, halfway_);
    }();
    progress.stage("check");
    if (scripts.first) scripts.first(progress, stop);
    progress.stage("fetch");
    progress.bytes(kBytes / 2, kBytes, 0);
    if (scripts.second) scripts.second(progress, stop);
    progress.bytes(kBytes, kBytes, 0);
}

void AdapterSite::play(update::ProgressSink& progress, const std::stop_token& stop) {
    const std::string call = service.engine.calls().back();
    const auto does = [&](const char* part) { return call.find(part) != std::string::npos; };
    if (does("check image")) {
        const auto script = [this] {
            const std::lock_guard lock(mutex_);
            return check_;
        }();
        if (script) script(progress, stop);
        return check();
    }
    if (does("update image")) fetch(progress, stop);
    if (does("collect")) service.engine.collect_result.deployments = {"0 (os_0)", "00 (os_00)"};
    if (!does("update image") && call != "finalize") return;
    const std::lock_guard lock(mutex_);
    const bool arms = does("finalize=1") || call == "finalize";
    const std::string version = call == "finalize" ? status_.staged->version : published_;
    status_.staged = deployment(
        version, arms ? update::DeploymentState::Armed : update::DeploymentState::Staged);
    status_.staged->locked = does(" locked");
    status_.staged->for_anyone = does(" for-anyone");
    status_.available.reset();
    status_.reboot_pending = arms;
    service.engine.update_result.outcome =
        arms ? update::UpdateOutcome::Finalized : update::UpdateOutcome::Staged;
    service.engine.update_result.deployment = *status_.staged;
    show();
}

}  // namespace cfs::test
