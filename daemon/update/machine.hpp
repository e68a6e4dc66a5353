// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "boot/boot_backend.hpp"
#include "crypto/x509.hpp"
#include "mount/private_mount.hpp"
#include "settings/settings.hpp"
#include "store/repository.hpp"
#include "uki/cmdline.hpp"
#include "update/layer_import.hpp"
#include "update/state_dir.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace cfs::update {

/// The machine that is updated, opened: what every verb works on. One thread. Opening changes
/// nothing; NotFound says which of the directories is missing.
struct Machine {
    /// \param esp for writing, unless the caller only looks at it
    explicit Machine(const settings::Settings& settings,
                     const Clock& clock,
                     mount::Access esp = mount::Access::Write);

    const settings::Settings& settings;
    const Clock& clock;
    UniqueFd sysroot;
    StateDir state;
    /// What the verb knows of itself so far, for the history; no kind: it is not kept.
    HistoryEntry attempt;
    bool asked = false;  ///< the verb looked whether there is something newer

    // Opened on first use: status must show what it can on a machine whose ESP or store is gone.
    [[nodiscard]] boot::BootBackend& boot();
    [[nodiscard]] store::Repository& store();

 private:
    mount::Access esp_access_;
    std::unique_ptr<boot::BootBackend> boot_;
    std::unique_ptr<store::Repository> store_;
};

[[nodiscard]] store::VerityPolicy verity_policy(settings::Verity verity);

/// Title, version and sort key of a UKI, for the boot backend: reads headers and os-release only.
[[nodiscard]] std::optional<boot::UkiDescription> describe_uki(int uki_fd);

/// What runs, by the initrd's record in settings.run or else by the kernel command line; nullopt
/// when neither names a composefs image.
[[nodiscard]] std::optional<Digest> booted_image(const settings::Settings& settings);

/// The same, and nullopt also for a command line that is not ours to judge.
[[nodiscard]] std::optional<Digest> booted_image_if_known(const settings::Settings& settings);

/// The booted deployment's record; nullptr when it is not ours. Of several with one image (a new
/// UKI over the same image), the one whose entry the loader says it started, or to which a soft
/// reboot led; where nobody says, one that was seen running before.
[[nodiscard]] const DeploymentRecord* find_booted(const settings::Settings& settings,
                                                  const std::vector<DeploymentRecord>& records);

/// All certificates that settings.trust names. A missing default directory is no error; a named
/// file that cannot be read is.
[[nodiscard]] std::vector<Certificate> load_anchors(const settings::TrustSettings& trust);

/// state.lock(), waiting for whoever has it. \throws Error Busy when that takes longer, Cancelled
[[nodiscard]] UniqueFd wait_for_lock(const StateDir& state,
                                     std::chrono::milliseconds patience,
                                     const std::stop_token& stop = {});

[[nodiscard]] LayerLimits layer_limits(const settings::Settings& settings);

/// The entry of this stem on the ESP, whatever its counter; empty if there is none.
[[nodiscard]] std::string find_entry(const std::vector<boot::LoaderEntry>& entries,
                                     const std::string& stem);

/// Name of the pin that keeps a deployment's streams: "oci/localhost%2Fcfsupdated-<manifest
/// digest>".
[[nodiscard]] std::string manifest_pin(const Digest& manifest);

/// Name of the pin that keeps a deployment's image: "cfsupdated/<hex>".
[[nodiscard]] std::string image_pin(const Digest& image);

}  // namespace cfs::update
