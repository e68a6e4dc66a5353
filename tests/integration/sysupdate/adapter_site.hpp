// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "center.hpp"
#include "service_site.hpp"
#include "support/temp_dir.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cfs::test {

/// A private bus, on it the daemon with an engine that plays a machine with versions, and the
/// adapter as a process. Version 1 runs.
class AdapterSite {
 public:
    AdapterSite();

    /// Ends the job that runs first: its script is in here.
    ~AdapterSite() { service.stop(); }

    /// On a bus that is closed but for what these files open.
    explicit AdapterSite(const std::vector<std::string>& policy_files);

    AdapterSite(const AdapterSite&) = delete;
    AdapterSite& operator=(const AdapterSite&) = delete;

    void start_daemon() { service.start(); }

    /// Returns when it has its name.
    void start_adapter(const std::vector<std::string>& options = {});

    /// Ends it as the service manager does; its exit code, and what it said.
    Ended stop_adapter();

    /// Waits for its own end.
    Ended finish_adapter() { return adapter_->finish(); }

    /// What the registry has from now on; empty: what runs.
    void publish(const std::string& version, const std::string& changelog = "");

    /// What an update does between its beginning and its first byte; and after half of them.
    void set_update(FakeEngine::Script before, FakeEngine::Script halfway = {});

    /// What a check does first.
    void set_check(FakeEngine::Script check);

    [[nodiscard]] std::string metadata() const { return dir_.read("run/host.xml"); }

    /// The adapter's memory of what it acquired; throws when there is none.
    void damage_record() { dir_.write("run/acquired", dir_.read("run/acquired") + "x\n"); }

    [[nodiscard]] const std::string& address() const { return service.bus.address(); }

    ServiceSite service;

 private:
    void play(update::ProgressSink& progress, const std::stop_token& stop);
    void check();
    void fetch(update::ProgressSink& progress, const std::stop_token& stop);
    void show();

    TempDir dir_;
    std::unique_ptr<Child> adapter_;
    std::mutex mutex_;
    update::Status status_;
    std::string published_;
    std::string changelog_;
    FakeEngine::Script check_;
    FakeEngine::Script before_;
    FakeEngine::Script halfway_;
};

/// Its name's or its text's, "" when `f` does not throw.
template <typename F>
std::string error_of(F&& f) {
    try {
        std::forward<F>(f)();
        return "";
    } catch (const sdbus::Error& e) {
        return std::string(e.getName());
    }
}

}  // namespace cfs::test
