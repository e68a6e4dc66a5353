// SPDX-License-Identifier: Apache-2.0
/// \file How a boot is judged, by programs of the boot that need neither bus nor daemon:
/// check_boot() before boot-complete.target, mark_good() behind it, note_failed_boot() when it is
/// not reached. README.md, "A new version's trial", has the whole of it.
#pragma once

#include "base/clock.hpp"
#include "settings/settings.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace cfs::update {

/// Where the running system is looked at.
struct BootPlaces {
    std::string etc = "/etc";
    /// How long another process may change deployments before the check goes on without.
    std::chrono::milliseconds patience{60'000};
};

struct BootReport {
    std::vector<std::string> failed;    ///< required checks; "name: why"
    std::vector<std::string> warnings;  ///< wanted checks, and files that are no checks
    unsigned passed = 0;

    /// On one line.
    [[nodiscard]] std::string failed_line() const;
};

/// Looks whether this is the system that the loader was to start, whole and readable, and runs the
/// checks of health.directories. The result is kept in settings.run. Finishes first what a crash
/// left. Never throws for what is wrong with the system: that is in the report.
[[nodiscard]] BootReport check_boot(const settings::Settings& settings,
                                    const Clock& clock = system_clock(),
                                    const BootPlaces& places = {});

struct GoodBoot {
    std::string version;
    bool proven = false;  ///< false: it runs well, and a soft reboot led here
};

/// What runs is proven from now on, unless the loader did not start it. An entry that still has a
/// counter, because nobody else blessed it, loses it. Waits for another process that changes
/// deployments. \throws Error NotFound when what runs is not ours
GoodBoot mark_good(const settings::Settings& settings, const Clock& clock = system_clock());

struct FailedBoot {
    std::string version;
    std::string reason;
    std::string stays;  ///< why the machine is not to start again; empty: it is to
};

/// Keeps, durably, why this boot failed, and decides whether the machine starts again: only when
/// that leads somewhere, namely on trial, with tries that the loader counts, and with a proven
/// version to fall back to. \param reason empty: what check_boot() found
/// \throws Error NotFound when what runs is not ours
[[nodiscard]] FailedBoot note_failed_boot(const settings::Settings& settings,
                                          const std::string& reason = {},
                                          const Clock& clock = system_clock());

/// Until health.deadline, counted from the start of the kernel or from the last soft reboot; zero
/// when it is over.
[[nodiscard]] std::chrono::milliseconds time_to_deadline(const settings::Settings& settings,
                                                         const Clock& clock = system_clock());

}  // namespace cfs::update
