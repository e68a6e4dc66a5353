// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "boot/entry_name.hpp"
#include "settings/settings.hpp"
#include "support/temp_dir.hpp"
#include "update/engine.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cfs::test {

/// Keeps what a verb told.
class RecordingProgress final : public update::ProgressSink {
 public:
    void stage(std::string_view name) override { stages.emplace_back(name); }

    void bytes(std::uint64_t done, std::uint64_t total, std::uint64_t reused) override {
        last_done = done;
        last_total = total;
        last_reused = reused;
    }

    void message(std::string_view text) override { messages.emplace_back(text); }

    [[nodiscard]] update::Initiator initiator() const override { return who; }

    update::Initiator who;
    std::vector<std::string> stages, messages;
    std::uint64_t last_done = 0, last_total = 0, last_reused = 0;
};

/// What systemd-boot 252 says of itself (LoaderFeatures), below `dir`/efivars.
void let_loader_know(const TempDir& dir);

/// Directories that stand for one machine: sysroot, ESP, kernel command line. Removed at the end.
class Site {
 public:
    Site();

    /// "oci:<layout>:TAG" of the images that make_fixtures made.
    [[nodiscard]] static std::string image(const std::string& tag);

    /// The same from a copy of the layout that this site may damage.
    [[nodiscard]] std::string own_image(const std::string& tag);

    /// Path of a file that make_fixtures made.
    [[nodiscard]] static std::string fixture(const std::string& name);

    /// Installs v1 (or another tag) and boots it.
    update::UpdateResult install(const std::string& tag = "v1");

    /// A plain update to an image, with finalize.
    update::UpdateResult update(const std::string& tag) { return update_to(image(tag)); }

    update::UpdateResult update_to(const std::string& reference, bool finalize = true);

    /// Firmware and loader, for the parts that matter here: takes the loader's next choice, counts
    /// down its tries on the ESP, says so in its variables, writes its argument to the command
    /// line. Returns the entry's file
    /// name.
    std::string reboot();

    /// Like a health check that passed: the booted entry loses its counter.
    void bless();

    [[nodiscard]] update::Engine& engine();

    /// ESP, refs and links of the store, state directories: what a refused update must not change.
    [[nodiscard]] std::string snapshot() const;

    /// Entries in EFI/Linux, sorted.
    [[nodiscard]] std::vector<std::string> entries() const;

    /// Directory of a deployment's /etc.
    [[nodiscard]] std::string etc(const update::DeploymentInfo& deployment) const;

    TempDir dir;
    settings::Settings settings;
    RecordingProgress progress;

 private:
    void tell_loader(const boot::EntryName& before, const boot::EntryName& after);

    std::unique_ptr<update::Engine> engine_;
};

/// Runs `f` and returns the code of the Error it throws; fails the test when it throws none.
template <typename F>
std::string error_name(F&& f, std::string* text = nullptr) {
    try {
        std::forward<F>(f)();
    } catch (const Error& e) {
        if (text != nullptr) *text = std::string(e.what()) + "\n" + e.hint() + "\n" + e.details();
        return std::string(to_string(e.code()));
    }
    return "no error";
}

}  // namespace cfs::test
